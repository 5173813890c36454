import { z } from 'zod';
import { createPrecompiledNormalizer } from './precompiled-charsmap.js';
import { type TokenizerComponent, UnknownComponentError } from './tokenizer-json.js';

/** Text in, text out. The semantics are those of the `tokenizers` crate, character by character. */
export type Normalize = (text: string) => string;

const patternSchema = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);

const bertNormalizerSchema = z.object({
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});

/** The ideographs that BERT sets apart, as its reference lists them. */
export const BERT_IDEOGRAPH =
  '\\u4e00-\\u9fff\\u3400-\\u4dbf\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b73f}\\u{2b740}-\\u{2b81f}\\u{2b920}-\\u{2ceaf}\\uf900-\\ufaff\\u{2f800}-\\u{2fa1f}';
const bertIdeograph = new RegExp(`[${BERT_IDEOGRAPH}]`, 'gu');
/** NUL, the replacement character and the "other" categories, tab and line ends excepted. */
const bertRemoved = /(?![\t\n\r])[\0\ufffd\p{Cc}\p{Cf}\p{Co}]/gu;

export function createNormalizer(component: TokenizerComponent | null | undefined): Normalize {
  if (component === null || component === undefined) return (text) => text;
  switch (component.type) {
    case 'Sequence': {
      const { normalizers } = z
        .object({ normalizers: z.array(z.looseObject({ type: z.string() })) })
        .parse(component);
      const steps = normalizers.map(createNormalizer);
      return (text) => steps.reduce((value, step) => step(value), text);
    }
    case 'BertNormalizer':
      return createBertNormalizer(bertNormalizerSchema.parse(component));
    case 'Precompiled':
      return createPrecompiledNormalizer(
        z.object({ precompiled_charsmap: z.string().nullable() }).parse(component).precompiled_charsmap,
      );
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = component.type;
      return (text) => text.normalize(form);
    }
    case 'Lowercase':
      return lowercase;
    case 'StripAccents':
      return (text) => text.replace(/\p{M}/gu, '');
    case 'Strip': {
      const { strip_left: left, strip_right: right } = z
        .object({ strip_left: z.boolean(), strip_right: z.boolean() })
        .parse(component);
      return (text) => {
        const begun = left ? text.replace(/^\p{White_Space}+/u, '') : text;
        return right ? begun.replace(/\p{White_Space}+$/u, '') : begun;
      };
    }
    case 'Replace': {
      const { pattern, content } = z.object({ pattern: patternSchema, content: z.string() }).parse(component);
      const search = 'String' in pattern ? pattern.String : toRegExp(pattern.Regex);
      return (text) => text.replaceAll(search, () => content);
    }
    case 'Prepend': {
      const { prepend } = z.object({ prepend: z.string() }).parse(component);
      return (text) => (text === '' ? text : prepend + text);
    }
    default:
      throw new UnknownComponentError(`normalizer ${component.type}`);
  }
}

/** The few patterns that tokenizers carry mean the same in JavaScript once `u` is set; anything else is refused. */
export function toRegExp(pattern: string): RegExp {
  try {
    return new RegExp(
      pattern.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}'),
      'gu',
    );
  } catch (cause) {
    throw new UnknownComponentError(`regular expression ${pattern}`, { cause });
  }
}

function createBertNormalizer(options: z.infer<typeof bertNormalizerSchema>): Normalize {
  const stripAccents = options.strip_accents ?? options.lowercase;
  return (text) => {
    let value = text;
    if (options.clean_text) value = value.replace(bertRemoved, '').replace(/\p{White_Space}/gu, ' ');
    if (options.handle_chinese_chars) value = value.replace(bertIdeograph, ' $& ');
    if (stripAccents) value = value.normalize('NFD').replace(/\p{Mn}/gu, '');
    return options.lowercase ? lowercase(value) : value;
  };
}

/** Character by character: unlike JavaScript, the reference knows no final sigma. */
function lowercase(text: string): string {
  return text.replaceAll('Σ', 'σ').toLowerCase();
}
