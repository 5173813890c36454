import { type KnowledgeBase, knowledgeBaseConfigSchema } from '../../src/ingest/knowledge-base.js';

/** A small knowledge base for tests; what is given replaces what kb.yaml would say. */
export function sampleKnowledgeBase(config: object = {}): KnowledgeBase {
  return {
    id: 'shop',
    ...knowledgeBaseConfigSchema.parse({ title: { en: 'Shop support', zh: '商店客服' }, ...config }),
  };
}
