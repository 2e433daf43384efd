from compactlm.inference.coverage import check


def test_lines_are_counted_by_what_they_decode_to(on_torch):
    lines = ["the film was good.", "  the   film ", "The Café!", "the \U0001f600 film \U0001f600", "good " * 63, "", "a [MASK] dog"]
    found = check(on_torch.mlm.tokenizer, lines)
    assert (found.lines, found.exact, found.normalised, found.lost) == (7, 5, 1, 1)
    assert (found.unknown, dict(found.unknown_words), found.first_lost) == (2, {"\U0001f600": 2}, 4)
    assert (found.too_long, found.longest, found.limit, found.first_too_long) == (1, 65, 64, 5)
    assert found.pieces == sum(len(on_torch.mlm.tokenizer.encode([line])[0]) - 2 for line in lines)


def test_many_lines_are_read_in_parts(on_torch):
    found = check(on_torch.mlm.tokenizer, ("good dog" for _ in range(2500)))
    assert (found.lines, found.pieces, found.exact) == (2500, 5000, 2500)
    none = check(on_torch.mlm.tokenizer, [])
    assert (none.lines, none.pieces, none.first_lost) == (0, 0, None)


def test_a_word_of_very_many_letters_is_lost(on_torch):
    found = check(on_torch.mlm.tokenizer, ["x" * 300])
    assert (found.lost, found.unknown) == (1, 1)
