"""Tables and rows of real parameter sets against PyBaMM's own functions."""

from __future__ import annotations

import functools

import numpy as np
import pybamm
import pytest

import cellmodel as cm
from cellmodel.bridge.kernel_cell import kernel_cell
from cellmodel.bridge.kernel_rows import names
from cellmodel.bridge.parameter_values import parameter_values
from cellmodel.bridge.set_functions import SetFunctions
from cellmodel.bridge.set_tables import SetTables
from kernels import parameters, tables
from kernels.kinetics import GAS, exchange_current
from kernels.tables import lookup

CELLS = ("lfp-graphite", "nmc532-graphite", "nmc811-graphite-siox")
SETS = ("Chen2020", "Ecker2015", "Marquis2019", "Mohtat2020", "OKane2022")
WARM_SETS = ("Ecker2015", "NCA_Kim2011", "ORegan2022")  # not all of Arrhenius
SIDES = ("negative", "positive")
RANDOM = np.random.default_rng(7)
STOICHIOMETRIES = RANDOM.uniform(0.002, 0.998, 60)
SALT = RANDOM.uniform(100.0, 4000.0, 60)
TEMPERATURES = RANDOM.uniform(263.15, 333.15, 60)
WARM_SALT = RANDOM.uniform(10.0, 3000.0, 300)
WARM_TEMPERATURES = RANDOM.uniform(253.15, 343.15, 300)


@functools.cache
def _values(name):
    if name in CELLS:
        return parameter_values(cm.load_cell(name))
    values, donor = pybamm.ParameterValues(name), pybamm.ParameterValues("OKane2022")
    lacking = [key for key in donor if "SEI" in key or key.startswith("EC ")]
    lent = {key: donor[key] for key in lacking if key not in values}
    values.update(lent, check_already_exists=False)
    return values


@functools.cache
def _tabulated(name, *own):
    law = cm.load_cell(name).sei if name in CELLS else "ec reaction limited"
    return kernel_cell(_values(name), law, (0.01, 0.95), frozenset(own))


def _rows(name):
    return _tabulated(name).rows({})


def _read(name, which, positions):
    return np.array([lookup(_tabulated(name).tables, which, at)[0] for at in positions])


def _pybamm(name, symbols):
    """Values of PyBaMM's own expressions for a set."""
    values = _values(name)
    return np.array([np.asarray(values.process_symbol(s).evaluate()).item() for s in symbols])


def _phase(side):
    parameters_of_pybamm = pybamm.LithiumIonParameters()
    return parameters_of_pybamm.n.prim if side == "negative" else parameters_of_pybamm.p.prim


def _inverse_temperature(name, T):
    return (1 / _rows(name)["reference_temperature"] - 1 / T) / GAS


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CELLS + SETS)
def test_potentials_are_those_of_pybamm_at_any_temperature(name, side):
    index = SIDES.index(side)
    U = _phase(side).U
    expected = _pybamm(
        name,
        [
            U(pybamm.Scalar(s), pybamm.Scalar(T))
            for s, T in zip(STOICHIOMETRIES, TEMPERATURES, strict=True)
        ],
    )
    reference = _read(name, (tables.U_N, tables.U_P)[index], STOICHIOMETRIES)
    entropic = _read(name, (tables.DUDT_N, tables.DUDT_P)[index], STOICHIOMETRIES)
    found = reference + (TEMPERATURES - _rows(name)["reference_temperature"]) * entropic
    # a measured curve, linear in pieces; a fit that falls by a third from node to node
    rough = {"OKane2022": 5e-6, "nmc811-graphite-siox": 5e-6, "Ecker2015": 3e-5}
    np.testing.assert_allclose(found, expected, rtol=0, atol=rough.get(name, 5e-7))
    if not _tabulated(name).flat[(tables.DUDT_N, tables.DUDT_P)[index]]:
        assert np.abs(entropic).max() > 1e-6


def test_a_potential_of_straight_lines_is_exact_beside_its_points():
    """27 points; between the first two it falls by 77 mV within a twentieth of the table's grid,
    and charges end there.
    """
    functions = SetFunctions(parameter_values(cm.load_cell("nvpf-hard-carbon")))
    points = functions.kinks("positive")
    assert points.size == 25
    made = SetTables()
    made.fill(tables.U_P, lambda s: functions.potential("positive", s), kinks=points)
    # of those above it two lie between the same points of the grid
    close = points[points < 0.97][:, None] + np.array([-3e-4, -1e-5, 0.0, 1e-5, 3e-4])
    found = [lookup(made.coefficients, tables.U_P, at)[0] for at in close.ravel()]
    expected = functions.potential("positive", close.ravel())
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("name", "smooth"), [("Chen2020", True), ("nvpf-hard-carbon", False)])
def test_the_salts_diffusivity_is_a_polynomial_where_that_is_as_good(name, smooth):
    if smooth:
        cell = _tabulated(name)
    else:  # straight lines between a dozen points
        own = cm.load_cell(name)
        cell = kernel_cell(parameter_values(own), own.sei, (0.01, 0.95), frozenset())
    flat = cell.flat[tables.POLYNOMIAL_D_E]
    assert flat != smooth
    if smooth:
        at = np.linspace(20.0, 5990.0, 200) / tables.CONCENTRATION_LIMIT
        read = [lookup(cell.tables, tables.SHAPE_D_E, s)[0] for s in at]
        own = np.polynomial.polynomial.polyval(at, cell.tables[tables.POLYNOMIAL_D_E, 0])
        np.testing.assert_allclose(own, read, rtol=1e-4, atol=0)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CELLS + SETS)
def test_exchange_currents_are_those_of_pybamm(name, side):
    phase, rows = _phase(side), _rows(name)
    expected = _pybamm(
        name,
        [
            phase.j0(pybamm.Scalar(c), pybamm.Scalar(s) * phase.c_max, pybamm.Scalar(T))
            for c, s, T in zip(SALT, STOICHIOMETRIES, TEMPERATURES, strict=True)
        ],
    )
    which = (tables.SHAPE_J_N, tables.SHAPE_J_P)[SIDES.index(side)]
    found = [
        exchange_current(
            rows[f"{side}_exchange_current"] * shape, s, rows[f"{side}_exchange_current_order"],
            np.log(c / rows["reference_electrolyte_concentration"]),
            rows[f"{side}_exchange_current_activation"], _inverse_temperature(name, T),
        )
        for shape, c, s, T in zip(
            _read(name, which, STOICHIOMETRIES), SALT, STOICHIOMETRIES, TEMPERATURES, strict=True
        )
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=0)


def _of_pybamm(name, row, places, temperatures):
    """Values of PyBaMM's own expression for a property of particle or electrolyte."""
    param = pybamm.LithiumIonParameters()
    side, _, _ = row.partition("_diffusivity")
    if side in SIDES:
        phase = _phase(side)
        symbols = [
            phase.D(pybamm.Scalar(s) * phase.c_max, pybamm.Scalar(T))
            for s, T in zip(places, temperatures, strict=True)
        ]
    else:
        function = {
            "electrolyte_diffusivity": param.D_e,
            "electrolyte_conductivity": param.kappa_e,
            "thermodynamic_factor": param.thermodynamic_factor,
            "transference_number": param.t_plus,
        }[row]
        symbols = [
            function(pybamm.Scalar(c), pybamm.Scalar(T))
            for c, T in zip(places, temperatures, strict=True)
        ]
    return _pybamm(name, symbols)


def _of_kernels(name, row, places, temperatures):
    """The same as the kernels make it of the row and the tables."""
    rows, cell = _rows(name), _tabulated(name)
    shape, warm = (tables.NAMES.index(f"{row}_{what}") for what in ("shape", "linear"))
    limit = 1.0 if row.startswith(SIDES) else tables.CONCENTRATION_LIMIT
    found = rows[row] * _read(name, shape, places / limit)
    found = found * np.exp(
        rows.get(f"{row}_activation", 0.0) * _inverse_temperature(name, temperatures)
    )
    if cell.flat[warm]:
        return found
    T_ref = rows["reference_temperature"]
    return found * [
        tables.temperature_factor(cell.tables, warm, place / limit, T, T_ref)
        for place, T in zip(places, temperatures, strict=True)
    ]


@pytest.mark.parametrize("row", tables.PROPERTIES)
@pytest.mark.parametrize("name", CELLS + SETS)
def test_properties_that_follow_arrhenius_are_those_of_pybamm(name, row):
    if not _tabulated(name).flat[tables.NAMES.index(f"{row}_linear")]:
        assert name in WARM_SETS
        return
    places, within = (STOICHIOMETRIES, 1e-9) if row.startswith(SIDES) else (SALT, 1e-6)
    np.testing.assert_allclose(
        _of_kernels(name, row, places, TEMPERATURES),
        _of_pybamm(name, row, places, TEMPERATURES),
        rtol=within, atol=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "warm"),
    [
        ("Ecker2015", {"electrolyte_conductivity"}),
        ("NCA_Kim2011", {"electrolyte_diffusivity", "electrolyte_conductivity"}),
        ("ORegan2022", set(tables.PROPERTIES[2:])),
    ],
)
def test_properties_that_do_not_are_those_of_pybamm_too(name, warm):
    cell = _tabulated(name)
    factors = {row: cell.flat[tables.NAMES.index(f"{row}_linear")] for row in tables.PROPERTIES}
    assert {row for row, flat in factors.items() if not flat} == warm
    for row in warm:
        found = _of_kernels(name, row, WARM_SALT, WARM_TEMPERATURES)
        expected = _of_pybamm(name, row, WARM_SALT, WARM_TEMPERATURES)
        if row == "transference_number":  # the equations have 1 - t_plus; t_plus changes its sign
            assert expected.min() < -0.1 < 0.3 < expected.max()
            found, expected = 1 - found, 1 - expected
        np.testing.assert_allclose(found, expected, rtol=3e-3, atol=0, err_msg=row)


@pytest.mark.parametrize("name", CELLS + SETS)
def test_tables_called_flat_are(name):
    cell = _tabulated(name)
    for which, flat in enumerate(cell.flat):
        shape = tables.SHAPE_J_N <= which <= tables.SHAPE_T_PLUS
        constant = 1.0 if shape else 0.0
        nodes = cell.tables[which, :, 0]
        assert not flat or np.abs(nodes - constant).max() < 1e-5


@pytest.mark.parametrize("name", CELLS + SETS)
def test_potentials_have_no_swings_between_their_nodes(name):
    """At the ends PyBaMM's potentials climb steeply: the cubic must stay between its nodes."""
    cell = _tabulated(name)
    for which in (tables.U_N, tables.U_P):
        for interval in (0, tables.INTERVALS - 1):
            positions = (interval + np.linspace(0, 1, 50)) / tables.INTERVALS
            values = np.array([lookup(cell.tables, which, at)[0] for at in positions])
            ends = sorted((values[0], values[-1]))
            assert ends[0] - 1e-9 <= values.min()
            assert values.max() <= ends[1] + 1e-9


@pytest.mark.parametrize("name", CELLS)
def test_rows_are_the_numbers_of_the_cell(name):
    cell, rows = cm.load_cell(name), _rows(name)
    assert set(rows) == set(parameters.NAMES)
    for row, parameter in (
        ("negative_electrode_thickness", "Negative electrode thickness [m]"),
        ("positive_particle_radius", "Positive particle radius [m]"),
        ("separator_porosity", "Separator porosity"),
        ("positive_maximum_concentration", "Maximum concentration in positive electrode [mol.m-3]"),
        ("sei_prefactor", "SEI reaction exchange current density [A.m-2]"),
        ("sei_initial_thickness", "Initial SEI thickness [m]"),
    ):
        assert rows[row] == cell.parameter(parameter)
    area = cell.parameter("Electrode width [m]") * cell.parameter("Electrode height [m]")
    area *= cell.parameter("Number of electrodes connected in parallel to make a cell")
    np.testing.assert_allclose(rows["electrode_area"], area, rtol=1e-15, atol=0)
    low, high = parameters.LOWER, parameters.UPPER
    values = np.array([rows[row] for row in parameters.NAMES])
    assert ((low < values) & (values < high)).all()


@pytest.mark.parametrize("name", CELLS)
def test_the_heat_capacity_is_that_of_pybamm(name):
    """PyBaMM's effective density times heat capacity over all layers, times the cell's volume."""
    of_pybamm, values = pybamm.LithiumIonParameters(), _values(name)
    volume = values.process_symbol(of_pybamm.V_cell).evaluate()
    per_volume = values.process_symbol(of_pybamm.rho_c_p_eff(pybamm.Scalar(298.15))).evaluate()
    np.testing.assert_allclose(
        _rows(name)["heat_capacity"], float(volume) * float(per_volume), rtol=1e-12, atol=0
    )


# what may be swept


def test_every_name_that_may_be_swept_reaches_a_row():
    cell = _tabulated("nmc532-graphite")
    before = cell.rows({})
    untouched = {
        name
        for name in names(cell.sei) & cell.numbers.keys()
        if cell.rows({name: 1.1 * cell.numbers[name] or 1.0}) == before
    }
    assert untouched == set()


def test_a_swept_function_becomes_a_constant():
    name = "Electrolyte diffusivity [m2.s-1]"
    assert not _tabulated("nmc811-graphite-siox").flat[tables.SHAPE_D_E]
    cell = _tabulated("nmc811-graphite-siox", name)
    assert cell.flat[tables.SHAPE_D_E]
    rows = cell.rows({name: np.array([1e-10, 2e-10])})
    np.testing.assert_array_equal(rows["electrolyte_diffusivity"], [1e-10, 2e-10])
    assert rows["electrolyte_diffusivity_activation"] == 0.0


def test_a_swept_maximum_concentration_scales_the_exchange_current_as_pybamm_does():
    name = "Maximum concentration in positive electrode [mol.m-3]"
    cell = _tabulated("nmc811-graphite-siox", name)
    values = _values("nmc811-graphite-siox").copy()
    more = 1.2 * values[name]
    values.update({name: more})
    changed = kernel_cell(values, "tunnelling limited", (0.01, 0.95))
    swept = cell.rows({name: np.array([more])})
    np.testing.assert_allclose(
        swept["positive_exchange_current"], changed.rows({})["positive_exchange_current"],
        rtol=1e-6, atol=0,
    )  # fmt: skip


def test_a_diffusivity_that_depends_on_concentration_is_tabulated():
    """The kernels read it at the particle's surface, once per time step."""
    values = pybamm.ParameterValues("Chen2020")

    def diffusivity(stoichiometry, T):
        return 4e-14 * (1.5 - stoichiometry) * pybamm.exp(30e3 / 8.314462618 * (1 / 298.15 - 1 / T))

    values.update({"Negative particle diffusivity [m2.s-1]": diffusivity})
    cell = kernel_cell(values, "ec reaction limited", (0.01, 0.95))
    assert not cell.flat[tables.SHAPE_D_N]
    assert cell.flat[tables.SHAPE_D_P]
    rows = cell.rows({})
    np.testing.assert_allclose(rows["negative_diffusivity"], 4e-14, rtol=1e-9, atol=0)
    np.testing.assert_allclose(rows["negative_diffusivity_activation"], 30e3, rtol=1e-6, atol=0)
    shape = [lookup(cell.tables, tables.SHAPE_D_N, s)[0] for s in (0.1, 0.5, 0.9)]
    np.testing.assert_allclose(shape, [1.4, 1.0, 0.6], rtol=1e-9, atol=0)


# what is refused


def test_an_unknown_swept_name_lists_the_nearest():
    with pytest.raises(cm.InputError, match="Negative electrode thickness \\[m\\]"):
        _tabulated("Chen2020", "Negative electrode thicknes [m]")


def test_a_parameter_that_pybamm_knows_but_the_kernels_do_not_is_refused():
    name = "Typical plated lithium concentration [mol.m-3]"
    cell = cm.load_cell("nmc811-graphite-siox")
    with pytest.raises(cm.InputError, match="parameter that the kernels take"):
        cm.sweep_formation(cell, "two-cycle", "regenerative-cycler", over={name: [900.0, 1000.0]})


@pytest.mark.parametrize("law", ["tunneling limited", "VonKolzenberg2020", "none"])
def test_an_unknown_sei_law_lists_those_there_are(law):
    message = f"unknown SEI growth law '{law}'.*ec reaction limited .asymmetric.*tunnelling limited"
    with pytest.raises(cm.InputError, match=message):
        kernel_cell(_values("Chen2020"), law, (0.01, 0.95))


def test_a_parameter_of_another_sei_law_cannot_be_swept():
    with pytest.raises(cm.InputError, match="'tunnelling limited' SEI 'SEI kinetic rate"):
        _tabulated("nmc532-graphite", "SEI kinetic rate constant [m.s-1]")


@pytest.mark.parametrize(
    ("name", "law", "message"),
    [
        ("Prada2013", "ec reaction limited", "the kernels need '.*; give the cell this parameter"),
        ("Chen2020", "tunnelling limited", "the kernels need 'Tunneling barrier factor"),
        ("Ai2020", "ec reaction limited", r"Electrolyte diff.* times a cubic .* but .* by 129"),
        ("Xu2019", "ec reaction limited", "the kernels need '.* of a half cell"),
        ("Chen2020_composite", "tunnelling limited", "the kernels need 'Initial SEI thickness"),
        ("MSMR_Example", "ec reaction limited", "the kernels need '.* or MSMR"),
        ("ORegan2022", "ec reaction limited", "the kernels need 'EC diffusivity"),
    ],
)  # fmt: skip
def test_sets_that_the_kernels_cannot_take_are_refused_by_name(name, law, message):
    with pytest.raises(cm.InputError, match=message):
        kernel_cell(pybamm.ParameterValues(name), law, (0.01, 0.95))


def _with(functions):
    values = pybamm.ParameterValues("Chen2020")
    values.update(functions)
    return kernel_cell(values, "ec reaction limited", (0.01, 0.95))


def test_a_rate_that_is_no_power_of_the_salt_is_refused():
    def exchange(c_e, c_s, c_max, T):
        return 2e-5 * (1 + c_e / 1000) * pybamm.sqrt(c_s * (c_max - c_s))

    name = "Negative electrode exchange-current density [A.m-2]"
    with pytest.raises(cm.InputError, match=r"must be a power of the salt concentration"):
        _with({name: exchange})


def test_a_property_that_no_cubic_describes_is_refused_with_its_departure():
    def diffusivity(stoichiometry, T):
        return 4e-14 * (1.1 + pybamm.tanh(T - 298.15))

    name = "Positive particle diffusivity [m2.s-1]"
    message = r"Positive particle diff.* times a cubic .*departs from it by [\d.]+% at [\d.]+ K and"
    with pytest.raises(cm.InputError, match=message):
        _with({name: diffusivity})


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        (
            "Negative particle diffusivity [m2.s-1]",
            lambda s, T: 4e-14 * (s - 0.3),
            "Negative particle diff.* must be positive .*, got -1.2e-14 at the reference temp",
        ),
        (
            "Electrolyte conductivity [S.m-1]",
            lambda c, T: 1.0 + 0.03 * (T - 298.15),
            "Electrolyte cond.* must be positive .*, got -0.35 between 253.15 and 343.15 K",
        ),
        (
            "Cation transference number",
            lambda c, T: 0.3 + 0.02 * (T - 298.15),
            "transference number must be below 1 .*, got 1.2 between 253.15 and 343.15 K",
        ),
    ],
)
def test_a_property_of_the_wrong_sign_is_refused(name, function, message):
    with pytest.raises(cm.InputError, match=message):
        _with({name: function})


def test_a_function_of_something_swept_is_refused_by_name():
    """Their tables would keep the value of the cell, without a word."""
    conductivity = "Electrolyte conductivity [S.m-1]"
    message = r"'Electrolyte conductivity .*' cannot be swept, .* 'Electrolyte diffusivity .* of it"
    with pytest.raises(cm.InputError, match=message):
        kernel_cell(_values("Ecker2015"), "ec reaction limited", (0.01, 0.9), {conductivity})
    porosity = "Separator porosity"
    message = r"'Separator porosity' cannot be swept, .*'Separator specific heat capacity"
    with pytest.raises(cm.InputError, match=message):
        kernel_cell(_values("ORegan2022"), "ec reaction limited", (0.01, 0.9), {porosity})


# numbers that depend on temperature


def test_numbers_that_depend_on_temperature_are_those_of_the_surroundings():
    """O'Regan's heat capacities and his positive electrode's conductivity."""
    of_pybamm, values = pybamm.LithiumIonParameters(), _values("ORegan2022")
    volume = values.process_symbol(of_pybamm.V_cell).evaluate()
    temperatures = np.array([263.15, 283.15, 298.15, 331.7])
    rows = _tabulated("ORegan2022").rows({"Ambient temperature [K]": temperatures})
    for i, T in enumerate(temperatures):
        T = pybamm.Scalar(T)
        per_volume = values.process_symbol(of_pybamm.rho_c_p_eff(T)).evaluate()
        sigma = values.process_symbol(of_pybamm.p.sigma(pybamm.Scalar(0.4), T)).evaluate()
        for row, expected in (
            ("heat_capacity", float(volume) * float(per_volume)),
            ("positive_conductivity", float(sigma)),
        ):
            np.testing.assert_allclose(rows[row][i], expected, rtol=1e-5, atol=0, err_msg=row)


def test_a_number_that_depends_on_something_else_is_refused():
    name = "Positive electrode conductivity [S.m-1]"
    with pytest.raises(cm.InputError, match=r"must be a constant .* or a function of temperature"):
        _with({name: lambda stoichiometry, T: 0.18 * (1 + stoichiometry)})


@pytest.mark.parametrize("name", ["Chen2020", "ORegan2022"])
def test_a_swept_initial_concentration_changes_exchange_currents_as_in_pybamm(name):
    """O'Regan refers the salt to its initial concentration, Chen does not."""
    salt = "Initial concentration in electrolyte [mol.m-3]"
    values = _values(name).copy()
    values.update({salt: 1200.0})
    rows = _tabulated(name, salt).rows({salt: np.array([1200.0])})
    reference = np.log(1100.0 / rows["reference_electrolyte_concentration"])
    for side in SIDES:
        order = rows[f"{side}_exchange_current_order"]
        symbol = _phase(side).j0(
            pybamm.Scalar(1100.0), pybamm.Scalar(0.5) * _phase(side).c_max, pybamm.Scalar(298.15)
        )
        expected = float(np.asarray(values.process_symbol(symbol).evaluate()).item())
        found = 0.5 * rows[f"{side}_exchange_current"] * np.exp(order * reference)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0)
