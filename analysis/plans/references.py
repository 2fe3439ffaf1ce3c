"""The papers that reports cite, by the words with which the methods name them."""

REFERENCES = {
    "Obuchowski & Rockette 1995": "Obuchowski NA, Rockette HE. Hypothesis testing of diagnostic accuracy for multiple "
    "readers and multiple tests. Commun Stat B 1995;24:285–308.",
    "Hillis 2007": "Hillis SL. A comparison of denominator degrees of freedom methods for multiple observer ROC "
    "analysis. Stat Med 2007;26:596–619.",
    "Gallas 2006": "Gallas BD. One-shot estimate of MRMC variance: AUC. Acad Radiol 2006;13:353–362.",
    "Gallas, Bandos, Samuelson & Wagner 2009": "Gallas BD, Bandos A, Samuelson FW, Wagner RF. A framework for "
    "random-effects ROC analysis. Commun Stat A 2009;38:2586–2603.",
    "DeLong, DeLong & Clarke-Pearson 1988": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or "
    "more correlated receiver operating characteristic curves. Biometrics 1988;44:837–845.",
    "McNemar 1947": "McNemar Q. Note on the sampling error of the difference between correlated proportions. "
    "Psychometrika 1947;12:153–157.",
    "Newcombe 1998": "Newcombe RG. Improved confidence intervals for the difference between binomial proportions based "
    "on paired data. Stat Med 1998;17:2635–2650.",
    "Obuchowski 1997, 1998": "Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics "
    "1997;53:567–578; On the comparison of correlated proportions for clustered data. Stat Med 1998;17:1495–1507.",
    "Hillis, Obuchowski & Berbaum 2011": "Hillis SL, Obuchowski NA, Berbaum KS. Power estimation for multireader ROC "
    "methods. Acad Radiol 2011;18:129–142.",
    "Chakraborty 2017": "Chakraborty DP. Observer Performance Methods for Diagnostic Imaging. CRC Press 2017.",
    "Chakraborty & Zhai 2016": "Chakraborty DP, Zhai X. On the meaning of the weighted alternative free-response "
    "operating characteristic figure of merit. Med Phys 2016;43:2548–2557.",
    "Schemmer et al. 2023": "Schemmer M, Kuehl N, Benz C, Bartos A, Satzger G. Appropriate reliance on AI advice: "
    "conceptualization and the effect of explanations. Proc IUI 2023:410–422.",
    "Vickers & Elkin 2006": "Vickers AJ, Elkin EB. Decision curve analysis. Med Decis Making 2006;26:565–574.",
    "Laird & Ware 1982": "Laird NM, Ware JH. Random-effects models for longitudinal data. Biometrics 1982;38:963–974.",
    "Bland & Altman 1996": "Bland JM, Altman DG. Transformations, means, and confidence intervals. BMJ 1996;312:1079; "
    "The use of transformation when comparing two means. BMJ 1996;312:1153.",
    "Holm": "Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65–70.",
    "Hochberg": "Hochberg Y. A sharper Bonferroni procedure for multiple tests of significance. Biometrika "
    "1988;75:800–802.",
    "Wilson": "Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc "
    "1927;22:209–212.",
    "margin": "Tango T. Equivalence test and confidence interval for the difference in proportions for the "
    "paired-sample design. Stat Med 1998;17:891–908.",
    "Chen & Samuelson 2014": "Chen W, Samuelson FW. The average receiver operating characteristic curve in multireader "
    "multicase imaging studies. Br J Radiol 2014;87:20140016.",
}


def cited(text: str) -> list[str]:
    """The references that a text names, in the order in which it names them.

    >>> [item[:7] for item in cited("by Holm's method, after DeLong, DeLong & Clarke-Pearson 1988")]
    ['Holm S.', 'DeLong ']
    """
    found = [(text.find(words), reference) for words, reference in REFERENCES.items() if words in text]
    return [reference for _, reference in sorted(found)]
