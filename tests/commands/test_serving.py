from compactlm.serving import server


def test_a_name_with_invalid_utf_8_is_made_valid(cli, monkeypatch):
    seen = []
    monkeypatch.setattr(server, "serve", seen.append)
    assert cli("serve", "--name", "a\udcff")[0] == 0
    assert [settings.name for settings in seen] == ["a\ufffd"]
