import pytest

from compactlm.commands.unsupported import WHY


@pytest.mark.parametrize("name", sorted(WHY))
def test_an_unsupported_command_is_one_sentence(cli, name):
    status, output, errors = cli(name, "the", "film", "--to", "german")
    assert (status, output) == (1, "")
    assert errors.startswith(f"compactlm: an encoder cannot {name}: ")
    assert errors.count("\n") == 1


def test_unsupported_commands_are_not_in_the_help(cli):
    assert "translate" not in cli("--help")[1]
