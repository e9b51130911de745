#!/usr/bin/env python3
"""Stand in for the HiGHS executable with the HiGHS that scipy carries.

For measuring the embedded solver against native code where no highs is
installed: point OPTRIA_HIGHS at this file. It reads the model in free MPS as
OPTRIA writes it, knows the options time_limit and mip_rel_gap, ignores a start
point, and answers with a raw solution file and the dual bound on its log.
"""
import argparse
import time

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

STATUS = {0: "Optimal", 1: "Time limit reached", 2: "Infeasible", 3: "Unbounded"}


def read_mps(path):
    """Return cost, offset, bounds, integrality, matrix and row sides."""
    kinds, rows, cost, lower, upper, integer = [], {}, [], [], [], []
    columns, entries, rhs, ranges = {}, ([], [], []), {}, {}
    offset, section, in_integers = 0.0, "", False
    for line in open(path):
        f = line.split()
        if not line.startswith(" "):
            section = f[0] if f else section
        elif section == "ROWS" and f[0] != "N":
            rows[f[1]] = len(kinds)
            kinds.append(f[0])
        elif section == "COLUMNS" and f[1] == "'MARKER'":
            in_integers = f[2] == "'INTORG'"
        elif section == "COLUMNS":
            if f[0] not in columns:
                columns[f[0]] = len(cost)
                cost.append(0.0)
                lower.append(0.0)
                upper.append(np.inf)
                integer.append(1 if in_integers else 0)
            if f[1] == "obj":
                cost[columns[f[0]]] = float(f[2])
            elif f[1] in rows:
                for part, value in zip(entries, (rows[f[1]], columns[f[0]], float(f[2]))):
                    part.append(value)
        elif section == "RHS" and f[1] == "obj":
            offset = -float(f[2])
        elif section == "RHS" and f[1] in rows:
            rhs[rows[f[1]]] = float(f[2])
        elif section == "RANGES":
            ranges[rows[f[1]]] = float(f[2])
        elif section == "BOUNDS":
            set_bound(f, columns[f[2]], lower, upper)
    low, high = np.full(len(kinds), -np.inf), np.full(len(kinds), np.inf)
    for i, kind in enumerate(kinds):
        side = rhs.get(i, 0.0)
        if kind in "LE":
            high[i] = side
        if kind in "GE":
            low[i] = side
        if i in ranges:
            low[i] = side - ranges[i]
    matrix = csr_matrix((entries[2], (entries[0], entries[1])), shape=(len(kinds), len(cost)))
    return np.array(cost), offset, Bounds(lower, upper), np.array(integer), matrix, low, high


def set_bound(f, j, lower, upper):
    kind, value = f[0], float(f[3]) if len(f) > 3 else 0.0
    if kind in ("FX", "LO"):
        lower[j] = value
    if kind in ("FX", "UP"):
        upper[j] = value
    if kind in ("FR", "MI"):
        lower[j] = -np.inf


def main():
    parser = argparse.ArgumentParser()
    for name in ("model_file", "options_file", "solution_file", "read_solution_file"):
        parser.add_argument("--" + name)
    args = parser.parse_args()
    options = dict(line.replace(" ", "").strip().split("=") for line in open(args.options_file) if "=" in line)
    cost, offset, bounds, integer, matrix, low, high = read_mps(args.model_file)
    constraints = [LinearConstraint(matrix, low, high)] if matrix.shape[0] else []
    start = time.time()
    answer = milp(cost, integrality=integer, bounds=bounds, constraints=constraints,
                  options={"time_limit": float(options["time_limit"]), "mip_rel_gap": float(options["mip_rel_gap"])})
    print(f"solver seconds {time.time() - start:.3f}")
    bound = answer.get("mip_dual_bound")
    if bound is None and answer.status == 0:
        bound = answer.fun
    if bound is not None:
        print(f"  Dual bound  {bound + offset:.17g}")
    with open(args.solution_file, "w") as out:
        out.write(f"Model status\n{STATUS.get(answer.status, 'Unknown')}\n\n# Primal solution values\n")
        if answer.x is None:
            out.write("None\n")
            return
        out.write(f"Feasible\nObjective {answer.fun + offset:.17g}\n# Columns {len(answer.x)}\n")
        out.writelines(f"c{j} {value:.17g}\n" for j, value in enumerate(answer.x))
        out.write("# Rows 0\n")


if __name__ == "__main__":
    main()
