"""Marks on images against lesions, masks against masks; a module imports only what stands above it.

lesions       table of cases -> lesions and their weights
marks         table of marks -> ratings of lesions and of other places
marked_cells  figures that compare marks with marks, and their value without each case
lroc          the LROC curve, its area and height without each case
froc          wAFROC, AFROC, HrAuc ... of all readers and arms
curves        FROC, AFROC, wAFROC, ROC and LROC curves
rockette      the same for figures of marks on lesions
overlap       Dice, IoU, surface distances, volumes of masks; identified levels
"""
