import { z } from 'zod';
import { type TokenizerComponent, UnknownComponentError } from './tokenizer-json.js';

/** A text's place in a sequence (`A`: the text or the question, `B`: the passage) or fixed special tokens. */
type TemplatePart = { text: 'A' | 'B'; type: number } | { ids: readonly number[]; type: number };

/** How special tokens surround one text or join two. */
export interface SequenceTemplate {
  parts: readonly TemplatePart[];
  /** Special tokens in it. */
  specialTokens: number;
}

export interface SequenceTemplates {
  single: SequenceTemplate;
  pair: SequenceTemplate;
}

/** What a model reads. */
export interface TokenSequence {
  ids: Int32Array;
  /** Token type of each id: 0 for the question, 1 for the passage where the model tells them apart. */
  types: Uint8Array;
}

export function fillTemplate(
  template: SequenceTemplate,
  texts: { A: Int32Array; B?: Int32Array },
): TokenSequence {
  const filled = template.parts.map((part) => ({
    ids: 'ids' in part ? part.ids : (texts[part.text] ?? []),
    type: part.type,
  }));
  const length = filled.reduce((sum, part) => sum + part.ids.length, 0);
  const sequence = { ids: new Int32Array(length), types: new Uint8Array(length) };
  let offset = 0;
  for (const part of filled) {
    sequence.ids.set(part.ids, offset);
    sequence.types.fill(part.type, offset, offset + part.ids.length);
    offset += part.ids.length;
  }
  return sequence;
}

const pieceSchema = z.union([
  z.object({ SpecialToken: z.object({ id: z.string(), type_id: z.number().int() }) }),
  z.object({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: z.number().int() }) }),
]);
const templateProcessingSchema = z.object({
  single: z.array(pieceSchema),
  pair: z.array(pieceSchema),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(z.number().int()) })),
});
const tokenWithId = z.tuple([z.string(), z.number().int()]);
const markedSchema = z.object({ sep: tokenWithId, cls: tokenWithId });

const TEXT_A = { text: 'A', type: 0 } as const;
const TEXT_B = { text: 'B', type: 0 } as const;

export function createSequenceTemplates(component: TokenizerComponent | null | undefined): SequenceTemplates {
  if (component === null || component === undefined) {
    return templates([TEXT_A], [TEXT_A, { text: 'B', type: 1 }]);
  }
  switch (component.type) {
    case 'Sequence': {
      const { processors } = z
        .object({ processors: z.array(z.looseObject({ type: z.string() })) })
        .parse(component);
      const relevant = processors.filter(({ type }) => type !== 'ByteLevel');
      if (relevant.length > 1) throw new UnknownComponentError('several post-processors in sequence');
      return createSequenceTemplates(relevant[0]);
    }
    case 'ByteLevel':
      return createSequenceTemplates(null);
    case 'TemplateProcessing': {
      const processing = templateProcessingSchema.parse(component);
      const toParts = (pieces: z.infer<typeof pieceSchema>[]): TemplatePart[] =>
        pieces.map((piece) =>
          'Sequence' in piece
            ? { text: piece.Sequence.id, type: piece.Sequence.type_id }
            : {
                ids: processing.special_tokens[piece.SpecialToken.id]?.ids ?? [],
                type: piece.SpecialToken.type_id,
              },
        );
      return templates(toParts(processing.single), toParts(processing.pair));
    }
    case 'BertProcessing': {
      const { sep, cls } = markedSchema.parse(component);
      const single = [{ ids: [cls[1]], type: 0 }, TEXT_A, { ids: [sep[1]], type: 0 }];
      return templates(single, [...single, { text: 'B', type: 1 }, { ids: [sep[1]], type: 1 }]);
    }
    case 'RobertaProcessing': {
      const { sep, cls } = markedSchema.parse(component);
      const single = [{ ids: [cls[1]], type: 0 }, TEXT_A, { ids: [sep[1]], type: 0 }];
      return templates(single, [...single, { ids: [sep[1]], type: 0 }, TEXT_B, { ids: [sep[1]], type: 0 }]);
    }
    default:
      throw new UnknownComponentError(`post-processor ${component.type}`);
  }
}

function templates(single: readonly TemplatePart[], pair: readonly TemplatePart[]): SequenceTemplates {
  return { single: countSpecials(single), pair: countSpecials(pair) };
}

function countSpecials(parts: readonly TemplatePart[]): SequenceTemplate {
  return {
    parts,
    specialTokens: parts.reduce((sum, part) => sum + ('ids' in part ? part.ids.length : 0), 0),
  };
}
