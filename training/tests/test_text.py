from askbase_training.text import is_chinese, markdown_sections, sentences, simplified, window_around


def test_markdown_becomes_sections_with_plain_text():
    page = "---\ntitle: Returns\n---\nIntro [link](x).\n\n## Refunds\n\nMoney comes **back**.\n\n```\ncode\n```\n"
    assert markdown_sections(page) == [
        ("Returns", "Returns", "Intro link."),
        ("Returns", "Refunds", "Money comes back."),
    ]


def test_sentences_end_at_chinese_and_english_marks():
    assert sentences("今天下雨。带伞！It rains. Take care.") == ["今天下雨。", "带伞！", "It rains.", "Take care."]


def test_a_window_holds_whole_sentences_around_the_offset():
    text = "One is first. Two is second. Three is third. Four is fourth."
    window = window_around(text, text.index("Three"), 30)
    assert "Three is third." in window
    assert window in text
    assert len(window) < len(text)


def test_chinese_is_told_from_english_with_a_few_han_characters():
    assert is_chinese("iPhone 怎么退货")
    assert not is_chinese("The word 退 means to go back, and this text is English.")


def test_traditional_characters_are_simplified_one_by_one():
    assert simplified("退貨與發票") == "退货与发票"
