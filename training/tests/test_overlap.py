from askbase_training.overlap import OverlapIndex

PASSAGE = "耳机在签收后的三十天之内都可以退货，请保留好完整的包装和发票。"


def test_a_copied_sentence_is_found_in_either_chinese_spelling():
    index = OverlapIndex([PASSAGE], [])
    assert index.shared("他说：耳机在签收后的三十天之内都可以退货。") > 0
    assert index.shared("他說：耳機在簽收後的三十天之內都可以退貨。") > 0
    assert index.shared("键盘的保修期是两年，人为损坏不在保修范围之内。") == 0


def test_the_share_of_a_copy_with_a_new_opening_lies_between_nothing_and_everything():
    index = OverlapIndex([PASSAGE], [])
    assert index.share(PASSAGE) == 1.0
    assert 0 < index.share("这是一段完全不同的开头文字内容，与前面没有任何关系。" + PASSAGE) < 1


def test_an_evaluation_question_is_recognised_whatever_its_punctuation():
    index = OverlapIndex([], ["How long is the warranty?"])
    assert index.is_question("how long is the WARRANTY")
    assert not index.is_question("how long is the guarantee")
