import { AppError } from '../errors.js';
import { type KnowledgeBase, knowledgeBaseConfigSchema, knowledgeBaseIdSchema } from './knowledge-base.js';

/** The knowledge bases there are: those of the knowledge folder, and those that only uploads have made. */
export interface KnowledgeBaseRegistry {
  get(id: string): KnowledgeBase | undefined;
  /** Ordered by id. */
  list(): KnowledgeBase[];
  /** Replaces what the knowledge folder says; those made by `ensure` stay. */
  configure(knowledgeBases: readonly KnowledgeBase[]): void;
  /** The knowledge base of that id; where there is none, one with defaults. Throws AppError `invalid` for a bad id. */
  ensure(id: string): KnowledgeBase;
}

export function createKnowledgeBaseRegistry(): KnowledgeBaseRegistry {
  const configured = new Map<string, KnowledgeBase>();
  const unconfigured = new Map<string, KnowledgeBase>();
  const get = (id: string): KnowledgeBase | undefined => configured.get(id) ?? unconfigured.get(id);

  return {
    get,
    list: () =>
      [...new Map([...unconfigured, ...configured]).values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    configure: (knowledgeBases) => {
      configured.clear();
      for (const knowledgeBase of knowledgeBases) configured.set(knowledgeBase.id, knowledgeBase);
    },
    ensure: (id) => {
      const known = get(id);
      if (known !== undefined) return known;
      if (!knowledgeBaseIdSchema.safeParse(id).success) {
        const problem =
          'The name of a knowledge base has lower-case letters, digits and hyphens, 64 at most.';
        throw new AppError('invalid', problem);
      }
      const created = defaultKnowledgeBase(id);
      unconfigured.set(id, created);
      return created;
    },
  };
}

/** A knowledge base that says nothing of itself: its title is its id. */
export function defaultKnowledgeBase(id: string): KnowledgeBase {
  return { id, ...knowledgeBaseConfigSchema.parse({ title: { en: id, zh: id } }) };
}
