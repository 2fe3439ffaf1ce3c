"""Where a model looked, whether that is where the finding is, and whether it depends on what was learnt.

cam              class activation maps by gradients, for a case and for a mask, in 2D and 3D; one without gradients
pointing         how often the strongest place lies in the finding, beside chance
randomisation    what becomes of the maps when the weights are drawn anew from the head down
picture          a map by itself or over its image, as PNG
"""

METHODS = ("grad-cam", "grad-cam++", "hires-cam")
