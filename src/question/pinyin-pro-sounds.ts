import { pinyin } from 'pinyin-pro';

/** How a Chinese word sounds, without tones: 退货 → `tui huo`. What is not Chinese is left out. */
export function soundOf(word: string): string {
  return pinyin(word, { toneType: 'none', type: 'array', nonZh: 'removed', v: true }).join(' ');
}
