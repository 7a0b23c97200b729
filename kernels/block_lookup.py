"""Tables read for a block of lanes at once.

LLVM would read them lane by lane. Here the numbers of eight lanes' intervals are loaded as vectors,
transposed in registers by a butterfly, and the cubics evaluated for all eight: a potential with its
slope and integral costs half as much (16 lanes, AVX-512, without kinks: 3.2 instead of 6.2 ns a
lane). Without the JIT `tables.lookup` does the same.
"""

from llvmlite import ir
from numba import config, types
from numba.core.cgutils import unpack_tuple
from numba.extending import intrinsic

from kernels.compiled import lanes
from kernels.parameters import LANES
from kernels.tables import COLUMNS, INTERVALS, JUMP, KINK, lookup

GROUP = 8  # lanes that are read together
DOUBLE, INTEGER = ir.DoubleType(), ir.IntType(64)
DOUBLES, INTEGERS = ir.VectorType(DOUBLE, GROUP), ir.VectorType(INTEGER, GROUP)
CUBIC = 4  # coefficients of the value
CONTRACT = {"flags": ["contract"]}


def _all(number):
    return ir.Constant(DOUBLES, [float(number)] * GROUP)


def _within(builder, numbers, low, high):
    """Hold numbers within bounds; a NaN becomes the lower one."""
    above = builder.select(builder.fcmp_ordered(">", numbers, _all(low)), numbers, _all(low))
    return builder.select(builder.fcmp_ordered("<", above, _all(high)), above, _all(high))


def _shuffle(builder, a, b, mask):
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), GROUP), mask))


def _transpose(builder, rows):
    """Columns of a square of numbers: swap blocks of 1, 2, 4."""
    step = 1
    while step < len(rows):
        low = [j + GROUP - step if j & step else j for j in range(GROUP)]
        high = [j + GROUP if j & step else j + step for j in range(GROUP)]
        for k in range(len(rows)):
            if not k & step:
                a, b = rows[k], rows[k + step]
                rows[k] = _shuffle(builder, a, b, low)
                rows[k + step] = _shuffle(builder, a, b, high)
        step *= 2
    return rows


def _polynomial(builder, f, coefficients):
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = builder.fadd(builder.fmul(f, value, **CONTRACT), coefficient, **CONTRACT)
    return value


def _scaled(builder, coefficients, factors):
    return [
        builder.fmul(one, _all(factor)) for one, factor in zip(coefficients, factors, strict=True)
    ]


def _reader(outputs):
    """Intrinsic that writes so many of value, slope and integral."""

    @intrinsic
    def read(context, w, tables, which, position, factor, value, slope, area):
        def generate(context, builder, signature, arguments):
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            table = context.make_array(signature.args[1])(context, builder, arguments[1])
            strides = unpack_tuple(builder, table.strides)
            first_row = builder.ptrtoint(table.data, INTEGER)
            first_row = builder.add(first_row, builder.mul(arguments[2], strides[0]))
            row = ir.VectorType(DOUBLE, COLUMNS).as_pointer()

            def at(offset, lane):
                place = builder.add(offset, ir.Constant(INTEGER, lane))
                return builder.bitcast(builder.gep(array.data, [place]), DOUBLES.as_pointer())

            factor = builder.fmul(arguments[4], ir.Constant(DOUBLE, float(INTERVALS)))
            factor = builder.insert_element(_all(0), factor, ir.Constant(ir.IntType(32), 0))
            factor = _shuffle(builder, factor, factor, [0] * GROUP)
            for lane in range(0, LANES, GROUP):
                u = builder.fmul(builder.load(at(arguments[3], lane), align=8), factor)
                # a NaN stays one, in an interval that exists
                low = builder.fcmp_ordered("<", u, _all(0))
                high = builder.fcmp_ordered(">", u, _all(INTERVALS))
                u = builder.select(high, _all(INTERVALS), builder.select(low, _all(0), u))
                interval = builder.fptosi(_within(builder, u, 0, INTERVALS - 1), INTEGERS)
                f = builder.fsub(u, builder.sitofp(interval, DOUBLES))
                rows = []
                for k in range(GROUP):
                    number = builder.extract_element(interval, ir.Constant(ir.IntType(32), k))
                    place = builder.add(first_row, builder.mul(number, strides[1]))
                    rows.append(builder.load(builder.inttoptr(place, row), align=8))
                columns = _transpose(builder, rows)
                cubic = columns[:CUBIC]
                # straight lines that meet within the interval
                kink, jump = columns[KINK], columns[JUMP]
                ahead = builder.fsub(kink, f)
                is_ahead = builder.fcmp_ordered(">", ahead, _all(0))
                ahead = builder.select(is_ahead, ahead, _all(0))
                value = _polynomial(builder, f, cubic)
                value = builder.fadd(value, builder.fmul(jump, ahead, **CONTRACT), **CONTRACT)
                builder.store(value, at(arguments[5], lane), align=8)
                if outputs > 1:
                    slopes = _scaled(builder, cubic[1:], (INTERVALS, 2 * INTERVALS, 3 * INTERVALS))
                    slope = _polynomial(builder, f, slopes)
                    steeper = builder.fmul(jump, _all(INTERVALS))
                    steeper = builder.select(is_ahead, steeper, _all(0))
                    slope = builder.fsub(slope, steeper)
                    builder.store(slope, at(arguments[6], lane), align=8)
                    parts = (1 / INTERVALS, 1 / 2 / INTERVALS, 1 / 3 / INTERVALS, 1 / 4 / INTERVALS)
                    areas = [columns[CUBIC], *_scaled(builder, cubic, parts)]
                    area = _polynomial(builder, f, areas)
                    passed = builder.fsub(builder.fmul(kink, kink), builder.fmul(ahead, ahead))
                    passed = builder.fmul(passed, builder.fmul(jump, _all(0.5 / INTERVALS)))
                    builder.store(builder.fadd(area, passed), at(arguments[7], lane), align=8)
            return context.get_dummy_value()

        return types.void(w, tables, which, position, factor, value, slope, area), generate

    return read


def _read_python(w, tables, which, position, factor, value, slope, area):
    for i in range(LANES):
        w[value + i], w[slope + i], w[area + i] = lookup(tables, which, w[position + i] * factor)


def _read_value_python(w, tables, which, position, factor, value, slope, area):
    for i in range(LANES):
        w[value + i], _, _ = lookup(tables, which, w[position + i] * factor)


if config.DISABLE_JIT:
    _read, _read_value = _read_python, _read_value_python
else:
    _read, _read_value = _reader(3), _reader(1)


@lanes
def read_block(w, tables, which, position, value, slope, area):
    """Look a function up for every lane, with its slope and its integral over the position; all but
    `which` are rows.
    """
    _read(w, tables, which, position, 1.0, value, slope, area)


@lanes
def read_values(w, tables, which, position, factor, value):
    """Look a function up for every lane: at row `position` times `factor`, into row `value`."""
    _read_value(w, tables, which, position, factor, value, value, value)
