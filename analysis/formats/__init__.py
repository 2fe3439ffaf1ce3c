"""Readings as the files of other programs.

workbook  Excel workbooks of plain tables
sav       SPSS data files
exports   readings as the files of other programs
"""
