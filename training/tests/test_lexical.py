from askbase_training.evaluate import fuse
from askbase_training.lexical import Bm25Index

PASSAGES = ["耳机三十天内可以退货。", "键盘的保修期是两年。", "Refunds are paid within five days.", "台灯很亮。"]


def test_the_passage_with_the_questions_words_comes_first_in_both_languages():
    index = Bm25Index(PASSAGES)
    assert index.search("耳機怎麼退貨", 4)[0][0] == 0
    assert index.search("when is a refund paid", 4)[0][0] == 2


def test_a_question_without_known_words_finds_nothing():
    assert Bm25Index(PASSAGES).search("zebra", 4) == []


def test_fusion_prefers_what_both_branches_rank_high():
    assert fuse([[1, 2, 3], [2, 4, 1]])[0] == 2
