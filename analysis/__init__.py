"""Statistics of reader studies on arrays and tables: no web framework, no database, usable in a notebook.

Nothing is imported here, so that `import analysis` costs nothing; import the module that is needed.

Foundations
    errors                  CannotAnalyse: the one error, one sentence
    interval                Interval, Refusal, quantiles
    versions                what computed a result
    ratings                 tidy table -> reader x arm x case
    designs                 fully crossed, split-plot, missing cells ... and what each permits
    multiplicity            Holm, Hochberg, Bonferroni, fixed sequence, gatekeeping, false discovery rate
    resampling              the stratified bootstrap of cases
    table_files             a CSV or Parquet file as a table

One reader or model
    proportions             confusion table, sensitivity, specificity, predictive values, accuracy, F1, Youden
    ratios                  likelihood ratios, diagnostic odds ratio, number needed to diagnose
    decision_bootstrap      the bootstrap of every measure of a confusion table
    roc                     empirical curve, operating points, partial areas
    mean_roc                the mean of several readers' ROC curves
    delong                  AUC, its variance, paired and unpaired comparison
    bootstrapped            bootstrap intervals and tests of areas and partial areas
    binormal_likelihood     two normal distributions behind the ratings: likelihood and its maximum
    binormal                binormal ROC curve, its area, sensitivity, specificity and partial area
    operating               sensitivity at a specificity and back, chosen thresholds, table of thresholds
    multiclass              one-vs-rest areas and Hand and Till's M

Two correlated tests
    paired                  McNemar; six intervals of a paired difference; odds ratio
    relative                relative sensitivity, specificity, false-positive fraction of two tests
    predictive              predictive values and likelihood ratios of two tests compared
    cochran                 Cochran's Q: many tests of the same cases
    margins                 non-inferiority and equivalence with a margin
    operating_tests         curves compared at one specificity or sensitivity; unpaired bootstrap
    venkatraman             permutation tests of whole ROC curves

Units within patients
    clustered               McNemar where units nest in patients
    clustered_auc           AUC where units nest in patients, and its paired comparison
    cluster_bootstrap       the bootstrap of whole patients
    gee                     two arms by generalised estimating equations

Many readers, many cases
    merits                  figures of merit: AUC, shares of right decisions, any function
    curve_merits            partial areas, operating points, expected utility
    merit_names             how plans and commands write figures of merit
    unbiased                the unbiased covariance of Gallas
    case_bootstrap          covariance by drawing cases anew
    covariance              DeLong, jackknife, unbiased and bootstrap covariance of all readers and arms
    error_terms             mean squares, components and error terms of Obuchowski and Rockette's model
    mrmc                    Obuchowski-Rockette with Hillis's degrees of freedom, any figure of merit
    dbm                     Dorfman, Berbaum and Metz's analysis of pseudovalues
    standalone              a model alone against the readers
    seniority               interaction of reader groups with arms, effects per group with multiplicity
    conversions             Roe and Metz's parameters to Obuchowski and Rockette's and back

U-statistics
    success                 sums over pairs of a diseased and a non-diseased case
    conditional             moments of shares from means within readers
    moments                 second-order moments M1 to M8 of a study of any design
    components              the same variance as BDG, BCK, DBM, OR and MS components
    ustatistics             U- and V-statistic variance over readers and cases, its df and tests
    sizing                  power of other numbers of readers and cases from the moments of a pilot
    limits                  limits of agreement of many readers

Agreement
    agreement_weights       how much a disagreement between two categories counts
    judgements              categories given by several readers to the same cases
    chance_corrected        percent agreement, Gwet, Fleiss, Scott, Brennan-Prediger, Conger, Krippendorff
    agreement               kappa of Cohen, Light and Fleiss
    icc                     intraclass correlations, six forms
    concordance             Kendall's W, mean correlation, Lin's concordance correlation
    bland_altman            limits of agreement of two measurements, repeatability
    rereads                 the same reader, the same cases, again

Probabilities and features
    calibration             Brier, Hosmer-Lemeshow, slope and intercept, expected over observed
    calibration_curve       grouped and smooth curves, rms's val.prob
    decision_curve          net benefit by threshold
    contingency             chi-square, G, Fisher, Cramer's V
    feature_tests           ranks, means, distributions, paired differences of one feature
    feature_table           all features against the truth, adjusted together

Reader and model together, time
    reliance                switches from unaided to aided, over- and under-reliance
    complementarity         the reader with the model against the better of both alone
    order_effects           period and carry-over of a crossover, position in the session
    timing                  ratio of reading times paired by case, interruptions, seniority
    timing_mixed            the same by a mixed model with readers and cases

Planning
    power_auc               power and number of cases for one AUC and for two
    power                   power of readers x cases from a pilot or from published components
    power_models            power for McNemar, two proportions, means, and from conjectures (Obuchowski)

A study at once
    plan                    the declared plan and its valid tests
    per_reader              one reader: decisions, discrimination, comparisons
    per_model               the model alone and against each reader
    study                   a whole study at once: analyse_study
    rows                    results as rows and plain data
    figures                 ROC and forest figures (plotly)
    study_figures           the figures of stored results

Localisation, plans, other programs
    localisation            marks on lesions (FROC family), masks, identified levels
    plans                   a declared plan carried out: tests, tables, figures, report
    formats                 readings as the files of other programs

Simulated coverage
    simulation              studies whose truth is known: Roe and Metz's model
    coverage                how often intervals hold the truth and tests err, over simulated studies
    coverage_single         the questions to methods for one reader
    coverage_chance         the questions to tests of one number against chance
    coverage_clusters       the questions to methods for units within patients
    coverage_many           the questions to methods for many readers
    coverage_paired         the questions to methods for one reader in two arms
    coverage_ratios         the questions to relative rates and predictive values
    coverage_further        the questions about margins, the model against readers, groups of readers
    coverage_reading        the questions about order, reading times and reliance
    coverage_agreement      the questions to measures of agreement
    coverage_probabilities  the questions to methods for probabilities
    coverage_features       the questions to tests of features
    coverage_marks          the questions to figures of marks, and a search model
    coverage_power          the questions about multiplicity and the power foretold
    coverage_families       all questions, on one core or several

Command line
    tables                  the TABLE of the command line
    answer                  what a command prints: JSON, text, CSV
    commands                what each command computes
"""
