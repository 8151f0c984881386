"""The README's table of options, generated from the option tables of the program."""

from backupctl.config.option import Kind
from backupctl.config.option_table import OPTIONS, SECRETS


def option_table() -> str:
    """Return the rows of the table, in Markdown."""
    rows = []
    for option in OPTIONS:
        flag = f"{option.flag} {option.metavar}" if option.metavar else option.flag
        if option.choices and not option.metavar:
            flag = f"{option.flag} {'|'.join(option.choices)}".replace("|", "\\|")
        if option.kind is Kind.SWITCH:
            flag = f"{flag}`, `--no-{option.name}"
        default = f" Default: {option.default}." if option.default and option.kind is Kind.VALUE else ""
        names = f"`{option.short}`, `{flag}`" if option.short else f"`{flag}`"
        rows.append(f"| {names} | {f'`{option.environment}`' if option.environment else ''} | {option.help}{default} |")
    for secret in SECRETS:
        plain, file, command = secret.environment_names
        rows.append(f"| | `{plain}` | {secret.meaning.capitalize()}. |")
        rows.append(f"| `{secret.file_option} FILE` | `{file}` | The same, from a file. |")
        rows.append(f"| `{secret.command_option} COMMAND` | `{command}` | The same, from what a command prints. |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(option_table())  # noqa: T201 - this program prints
