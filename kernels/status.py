"""Outcome of one case: an integer code beside its sentence. Compiled code cannot raise, so it
returns one of these.
"""

OK = 0
INFEASIBLE_STEP = 1
STOICHIOMETRY_LIMIT = 2
ELECTROLYTE_DEPLETED = 3
TEMPERATURE_LIMIT = 4
STEP_COUNT_LIMIT = 5
INVALID_INPUT = 6

#: name of each outcome, in the order of the codes (CF ``flag_meanings``)
NAMES = (
    "ok",
    "infeasible_step",
    "stoichiometry_limit",
    "electrolyte_depleted",
    "temperature_limit",
    "step_count_limit",
    "invalid_input",
)

#: what each outcome means, in the order of the codes
SENTENCES = (
    "the protocol ran to its end",
    "a constant-current step begins beyond its own voltage limit, so it would not pass any charge",
    "a particle surface filled or emptied before the step reached its limit",
    "the electrolyte ran out of salt at one end",
    "the cell left the temperature range the tables cover",
    "a step did not reach its limit within the allowed number of time steps",
    "an input is not finite or outside the range in which the equations hold",
)
