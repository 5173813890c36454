const ENGLISH_START =
  /^(?:(?:no|nope|sorry|oops|actually|wait|pardon|my mistake)\b[\s,.!:-]*)+(?:i (?:mean|meant|wanted to say|am asking about|was asking about)\b[\s,:]*)?|^i (?:mean|meant)\b[\s,:]*/i;
const ENGLISH_END = /[\s,]+(?:i (?:mean|meant)|that is)[\s.!]*$/i;
const CHINESE_START =
  /^(?:(?:不对|不是的?|错了|說錯了|说错了|打错了|打錯了|写错了|抱歉|对不起|對不起|搞错了|弄错了)[，,。！!、\s]*)+(?:我(?:是|的意思是|指的是|要)?(?:说|說|问|問|指)?的?(?:是)?|应该是|應該是|是)?[，,：:\s]*|^我(?:是|的意思是)(?:说|說|问|問|指)的?[，,：:\s]*|^我(?:说|說|问|問|指)的是[，,：:\s]*/;

/** What a correction puts in the place of what was said: "Japan" of "Sorry, I meant Japan."; undefined where it is none. */
export function readCorrection(question: string): string | undefined {
  const rest = question.replace(ENGLISH_START, '').replace(CHINESE_START, '').replace(ENGLISH_END, '').trim();
  return rest === question.trim() || rest === '' ? undefined : rest;
}
