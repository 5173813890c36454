/**
 * Words by which a text tries to give orders to the language model that reads it, in English and Chinese. They mark and
 * count; what keeps such orders from being obeyed is the fence around passages and the check of what the model writes.
 */
const SIGNS: Readonly<Record<string, readonly RegExp[]>> = {
  'ignore-rules': [
    /\b(?:ignore|disregard|forget|override|bypass|skip|drop)\b.{0,40}\b(?:instruction|rule|prompt|guideline|direction|restriction|context|above|previous|prior|earlier)/i,
    /\b(?:do not|don't|stop)\s(?:follow|obey)(?:ing)?\b.{0,30}\b(?:instruction|rule|prompt|guideline)/i,
    /(?:忽略|无视|忘记|忘掉|不要理会|不用理会|不必理会|不要遵守|不要遵循|别管|抛开|绕过|覆盖|撤销|推翻|作废|跳过|不要管).{0,20}(?:指令|指示|规则|提示|要求|设定|限制|约束|上文|以上|之前|前面|此前|先前)/,
    /(?:之前|以上|上述|前面|此前|先前|所有).{0,12}(?:指令|指示|规则|提示词?|设定|限制|约束).{0,10}(?:作废|无效|失效|忽略|取消|废除|不算|不再)/,
  ],
  'new-role': [
    /\b(?:you are now|from now on,? you|act as|pretend (?:to be|you are)|roleplay as|simulate being)\b/i,
    /\b(?:developer|debug|god|dan|jailbreak|maintenance|admin(?:istrator)?) mode\b/i,
    /(?:你现在是|从现在(?:起|开始)|假装(?:你|自己)?是?|假设你是|扮演|充当|模拟成|切换(?:为|到|成)|进入).{0,16}(?:模式|角色|助手|模型|管理员|开发者|机器人|人工智能|诗人|程序|系统|黑客|专家)/,
    /(?:开发者|调试|越狱|上帝|维护|管理员|无限制|超级用户)模式/,
  ],
  'show-prompt': [
    /\b(?:show|reveal|print|repeat|output|display|tell|leak|dump|translate|summari[sz]e|write|give|share)\b.{0,40}\b(?:system prompt|(?:your|the|hidden|initial|original) (?:\w+ )?(?:prompt|instructions?|rules|guidelines|configuration)|(?:text|words|everything) above)/i,
    /\bwhat (?:is|are|were) your (?:\w+ )?(?:system prompt|prompt|instructions?|rules)\b/i,
    /(?:输出|打印|显示|展示|告诉|透露|泄露|公开|复述|重复|背诵|翻译|总结|概括|写出|给出|发给?|贴出|列出|说出|念出).{0,20}(?:系统提示|提示词|系统消息|系统指令|初始指令|隐藏指令|内部指令|内部规则|原始指令|你的指令|你的规则|你的设定|上面的(?:文字|内容|全部))/,
    /(?:系统提示词?|提示词|初始指令|内部规则).{0,12}(?:是什么|原文|全文|逐字|内容|发我|给我)/,
  ],
  'speaks-to-model': [
    /\b(?:ai|assistant|language model|llm|chatbot|chatgpt|gpt|claude|qwen|copilot|model)\b.{0,30}\b(?:must|should|shall|please|always|never|will|note|attention|read)\b.{0,60}\b(?:reply|answer|respond|say|tell|add|include|append|insert|recommend|end|write|output|print|mention|send)/i,
    /\b(?:when|if) (?:asked|answering|summari[sz]ing|you (?:answer|respond|read|see) this)\b.{0,80}\b(?:reply|answer|respond|say|tell|add|include|append|insert|recommend|write|output)/i,
    /(?:^|\n|\]|>)\s*(?:system|assistant|developer|\[?inst\]?|###\s*(?:instruction|system))\s*[:：\]]/i,
    /<\|(?:im_start|im_end|system|user|assistant|endoftext|begin_of_text|eot_id)/i,
    /<\/?(?:passage|system|instructions?|s|prompt)(?:\s[^>]{0,80})?>/i,
    /(?:大模型|语言模型|模型|AI|人工智能|智能客服|助手|机器人|助理)[^。！？\n]{0,20}(?:必须|务必|应当|应该|请|需要|一律|注意|不得|只能|始终)[^。！？\n]{0,40}(?:回答|回复|输出|告诉|说|写|附上|加上|添加|插入|推荐|引导|发送|声称|答复)/i,
    /(?:回答|回复|总结|答复)(?:本|这|该|任何|所有|每)?.{0,10}(?:问题|用户|提问|时).{0,16}(?:必须|务必|一律|请(?:先|在)|都要|只能|只(?:回复|回答|输出))/,
    /(?:系统|管理员|开发者|运营者|官方)(?:消息|通知|指令|提示|公告|声明)\s*[:：]/,
  ],
  'send-out': [
    /\b(?:include|embed|insert|append|add|put|place|send|post|visit|open|click|load|display|render|recommend)\b.{0,60}(?:https?:\/\/|www\.|!\[|<img)/i,
    /(?:附上|加上|添加|插入|嵌入|访问|点击|打开|跳转|推荐|发送到?|显示|渲染|引导.{0,6}到|放上|写上).{0,30}(?:https?:\/\/|www\.|!\[|<img|链接|网址|图片|二维码)/i,
  ],
};

export type InstructionSign = string;

/** Longer texts are looked at in windows that overlap by more than the longest pattern. */
const WINDOW = 4_000;
const OVERLAP = 300;

/** The signs that a text gives orders to a model; empty for ordinary text. Time grows with the length, no faster. */
export function findInstructions(text: string): InstructionSign[] {
  const found = new Set<InstructionSign>();
  const plain = text.normalize('NFKC');
  for (let start = 0; start < plain.length; start += WINDOW - OVERLAP) {
    const window = plain.slice(start, start + WINDOW);
    for (const [sign, patterns] of Object.entries(SIGNS)) {
      if (patterns.some((pattern) => pattern.test(window))) found.add(sign);
    }
  }
  return [...found];
}
