export type Language = 'en' | 'zh';

/** The language of the page: what was chosen before, else what the browser prefers. */
export function chooseLanguage(saved: string | undefined, preferred: readonly string[]): Language {
  if (saved === 'en' || saved === 'zh') return saved;
  const first = preferred.find((tag) => /^(en|zh)\b/i.test(tag));
  return first?.toLowerCase().startsWith('zh') === true ? 'zh' : 'en';
}

/** The text in the page's language, else in the other one. */
export function localized(
  text: Partial<Record<Language, string | undefined>> | undefined,
  language: Language,
): string {
  return text?.[language] ?? text?.en ?? text?.zh ?? '';
}

/** Hours and minutes of a time in ISO 8601, where the reader is. */
export function timeOfDay(at: string, language: Language): string {
  return new Date(at).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** A `lang` attribute for text of unknown origin: it chooses glyphs and a screen reader's voice. */
export function languageOf(text: string): Language {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  return han * 4 > text.length ? 'zh' : 'en';
}
