import { describe, expect, it } from 'vitest';
import { writeOutFollowUp } from '../../src/question/follow-up.js';

describe('a follow-up is written out', () => {
  it.each([
    // pronouns
    [
      'How long is the warranty on a frying pan?',
      'Does it cover rust?',
      'Does the warranty on a frying pan cover rust?',
    ],
    ['What is the Kettle Club?', 'What are its benefits?', "What are the Kettle Club's benefits?"],
    ['Who are Gold members?', 'How do they get free shipping?', 'How do Gold members get free shipping?'],
    ['How do I reset the robot?', 'Does that delete the map?', 'Does that delete the map? (reset the robot)'],
    ['How do I treat a burn?', 'Can I put ice on it?', 'Can I put ice on it? (treat a burn)'],
    ['金壶会员有哪些权益？', '它多少钱？', '它多少钱？（金壶会员 权益）'],
    ['扫地机器人充不上电怎么办？', '这个在保修范围内吗？', '扫地机器人充不上电在保修范围内吗？'],
    ['怎么清洗滤网？', '可以用洗衣机洗它吗？', '可以用洗衣机洗它吗？（清洗滤网）'],
    ['空气净化器怎么安装？', '该产品保修吗？', '空气净化器产品保修吗？'],
    ['How much is standard delivery?', 'And the cheapest one?', 'And the cheapest one? (standard delivery)'],
    ['電子發票怎麼開？', '它多久能收到？', '電子發票多久能收到？'],
    ['高血压不能吃什么？', '它会遗传吗？', '高血压会遗传吗？'],
    // ellipses
    [
      'What does next-day delivery cost?',
      'How long does it take?',
      'How long does it take? (next-day delivery cost)',
    ],
    ['What does next-day delivery cost?', 'And to Hangzhou?', 'And to Hangzhou? (next-day delivery cost)'],
    [
      'How much does standard shipping cost?',
      'For large items?',
      'For large items? (standard shipping cost)',
    ],
    ['How much does standard shipping cost?', 'International?', 'International? (standard shipping cost)'],
    [
      'What does next-day delivery cost?',
      'What about same-day?',
      'What about same-day? (next-day delivery cost)',
    ],
    // another thing in the place of what was asked about, and never in that of a verb
    ['Can I return opened headphones?', 'What about shoes?', 'Can I return shoes?'],
    ['Can I wash the pan in the dishwasher?', 'And the lid?', 'Can I wash the lid in the dishwasher?'],
    ['How do I descale my kettle?', 'And the coffee machine?', 'How do I descale the coffee machine?'],
    ['Do you accept PayPal?', 'What about cash?', 'Do you accept cash?'],
    ['Is it possible to exchange headphones?', 'And shoes?', 'Is it possible to exchange shoes?'],
    ['Do you ship abroad?', 'What about Japan?', 'What about Japan? (ship abroad)'],
    ['Does the robot climb thresholds?', 'And stairs?', 'And stairs? (the robot climb thresholds)'],
    ['Can I return opened headphones?', 'Why?', 'Why? (return opened headphones)'],
    [
      'Can I return opened headphones?',
      'What documents do I need?',
      'What documents do I need? (return opened headphones)',
    ],
    [
      'How many days do I have to return something?',
      'And if it is broken?',
      'And if it is broken? (return something)',
    ],
    ['退货后多久能收到退款？', '那运费呢？', '那运费呢？（退货后 收到退款）'],
    ['退货后多久能收到退款？', '谁来付？', '谁来付？（退货后 收到退款）'],
    ['金壶会员有哪些权益？', '需要什么条件？', '需要什么条件？（金壶会员 权益）'],
    ['国内运费多少钱？', '那国际呢？', '那国际呢？（国内运费）'],
    ['国内运费多少钱？', '多久能到？', '多久能到？（国内运费）'],
    ['国内运费多少钱？', '如果超过30公斤呢？', '如果超过30公斤呢？（国内运费）'],
    ['请问次日达运费多少？', '哪些城市有？', '哪些城市有？（次日达运费）'],
    ['感冒发烧怎么办？', '要吃药吗？', '要吃药吗？（感冒发烧）'],
    // the thread of a longer conversation
    [
      'Does it cover rust? (the warranty on a frying pan)',
      'And for how long?',
      'And for how long? (cover rust, the warranty on a frying pan)',
    ],
    ['那运费呢？（退货后 收到退款）', '谁付？', '谁付？（运费，退货后 收到退款）'],
    // the language changes
    ['How do I get a refund?', '那运费呢？', '那运费呢？（get a refund）'],
    ['运费多少？', 'And to Canada?', 'And to Canada? (运费)'],
  ])('after “%s”: “%s” → “%s”', (previous, question, standalone) => {
    expect(writeOutFollowUp(question, previous)).toBe(standalone);
  });

  it.each([
    ['What does next-day delivery cost?', 'How do I get an invoice?'],
    ['Can I return opened headphones?', 'How much does shipping to Canada cost?'],
    ['Can I return opened headphones?', 'Is it possible to pay in instalments?'],
    ['Can I return opened headphones?', 'How long does it take to get an invoice?'],
    ['Can I return opened headphones?', 'I bought a pan and it is scratched, can I return it?'],
    ['How do I reset the robot?', 'What does error E07 mean?'],
    ['What is the Kettle Club?', 'What does this shop sell?'],
    ['What is the Kettle Club?', 'Thanks!'],
    ['国内运费多少钱？', '发票抬头开错了怎么办？'],
    ['国内运费多少钱？', '那发票抬头开错了怎么办？'],
    ['国内运费多少钱？', '我买的锅生锈了，它保修吗？'],
    ['扫地机器人充不上电怎么办？', '怎么退货？'],
    ['高血压不能吃什么？', '我头疼怎么办？'],
    ['胸外按压每分钟多少次？', '腰疼是该卧床还是多活动？'],
    ['How long does shipping take?', 'What is the first treatment recommended for insomnia?'],
    ['高血压不能吃什么？', '谢谢！'],
    ['???', 'Why?'],
  ])('but after “%s”, “%s” is left alone', (previous, question) => {
    expect(writeOutFollowUp(question, previous)).toBe(question);
  });

  it('does not grow without end', () => {
    let standalone =
      'What does the extremely long and detailed description of the matter at hand say about delivery?';
    for (let turn = 0; turn < 50; turn += 1) {
      standalone = writeOutFollowUp('And for large parcels to distant islands?', standalone);
    }
    expect(standalone.length).toBeLessThan(200);
  });
});
