"""A plan of a whole study, carried out to tables, figures and a report; a module imports only what stands above it.

references  the papers that reports cite
declared    what a plan of a whole study declares
drawings    figures by their numbers: ROC planes, forests, calibration, time
svg         drawings as SVG text
plotted     drawings as plotly figures
outcomes    claims, estimates, tables of an endpoint
catalogue   the analyses a plan can name, and when each is valid
tables      the tables of a plan, with their digests
files       the plan as TOML, refused by name and line
exclusions  exclusions and the missing-data rule, counted
material    the arrays that endpoints work on
families    margins, multiplicity, gatekeeping: verdicts
endpoints   one function per analysis that a plan can name
running     a plan carried out: run_plan
sentences   findings in words
report      one self-contained HTML page
outputs     the folder of a run
"""
