/**
 * Python that follows the cell tagged `parameters`, where papermill injects a cell of its own: it takes values from
 * the environment and the arguments by papermill's options and rules
 * (https://papermill.readthedocs.io/en/latest/usage-execute.html, `_resolve_type` of papermill/cli.py).
 */
export const overrides = `def _given_parameters(variables):
    import json
    import os
    import sys
    import types

    script = os.path.basename(sys.argv[0])
    names = sorted(
        name
        for name, value in variables.items()
        if not name.startswith("_") and not callable(value) and not isinstance(value, types.ModuleType)
    )
    known = ", ".join(names)
    given = {}

    def value_of(text):
        if text in ("True", "False", "None"):
            return {"True": True, "False": False, "None": None}[text]
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                pass
        return text

    def json_of(text, what):
        try:
            return json.loads(text)
        except ValueError as error:
            sys.exit(f"{script}: {what} is {text!r}, which is no JSON: {error}")

    for variable, text in os.environ.items():
        if not variable.startswith("PARAMETER_"):
            continue
        name = variable[len("PARAMETER_"):]
        if name not in names:
            print(f"{script}: {variable} is left out: the notebook has no parameter {name}; it has: {known}", file=sys.stderr)
        elif isinstance(variables[name], str):
            given[name] = text
        elif isinstance(variables[name], (list, dict, tuple)):
            given[name] = json_of(text, variable)
        else:
            given[name] = value_of(text)

    arguments = sys.argv[1:]
    while arguments:
        option = arguments.pop(0)
        if option in ("-p", "--parameters", "-r", "--parameters_raw") and len(arguments) > 1:
            name, text = arguments.pop(0), arguments.pop(0)
            values = {name: text if option in ("-r", "--parameters_raw") else value_of(text)}
        elif option in ("-y", "--parameters_yaml") and arguments:
            values = json_of(arguments.pop(0), option)
            if not isinstance(values, dict):
                sys.exit(f"{script}: {option} takes a JSON object by parameters' names")
        else:
            sys.exit(f"{script}: {option!r} is not understood; allowed: -p NAME VALUE, -r NAME TEXT, -y JSON; parameters: {known}")
        for name, value in values.items():
            if name not in names:
                sys.exit(f"{script}: the notebook has no parameter {name!r}; it has: {known}")
            given[name] = value
    del sys.argv[1:]
    return given


globals().update(_given_parameters(globals()))
del _given_parameters`;
