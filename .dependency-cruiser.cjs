/**
 * The dependency rules of the design, checked by `test/architecture.test.ts` on src/ and on a fixture that breaks
 * each of them.
 */
const ADAPTERS =
  '^src/(?!inference/)[^/]+/(sqlite|redis|qdrant|onnx|openai|extractive|http|winston|prom|express|socket-io|jose)-[^/]+\\.ts$';

/** A vendor package may be imported by these files only. */
const VENDORS = {
  '@qdrant/js-client-rest': '/qdrant-[^/]+\\.ts$',
  'onnxruntime-node': '^src/inference/onnx-[^/]+\\.ts$',
  openai: '/openai-[^/]+\\.ts$',
  winston: '/winston-[^/]+\\.ts$',
  'prom-client': '/prom-[^/]+\\.ts$',
  express: '^src/stream/(express-[^/]+|[^/]+-routes)\\.ts$',
  'socket.io': '/socket-io-[^/]+\\.ts$',
  redis: '/redis-[^/]+\\.ts$',
  '@socket.io/redis-streams-adapter': '/redis-[^/]+\\.ts$',
  '@photostructure/sqlite': '/sqlite-[^/]+\\.ts$',

  '@node-rs/jieba': '/jieba-[^/]+\\.ts$',
  'opencc-js': '/opencc-[^/]+\\.ts$',
  'pinyin-pro': '/pinyin-pro-[^/]+\\.ts$',
  '@huggingface/tokenizers': '/huggingface-[^/]+\\.ts$',
  unpdf: '/unpdf-[^/]+\\.ts$',
  mammoth: '/mammoth-[^/]+\\.ts$',
  'read-excel-file': '/read-excel-file-[^/]+\\.ts$',
  'csv-parse': '/csv-parse-[^/]+\\.ts$',
  'rehype-parse': '/rehype-[^/]+\\.ts$',
  'mdast-util-from-markdown': '/mdast-[^/]+\\.ts$',
  'iconv-lite': '/iconv-[^/]+\\.ts$',
  yaml: '/yaml-[^/]+\\.ts$',
  chokidar: '/chokidar-[^/]+\\.ts$',
  multer: '/multer-[^/]+\\.ts$',
  cors: '/cors-[^/]+\\.ts$',
  jose: '/jose-[^/]+\\.ts$',
  helmet: '/helmet-[^/]+\\.ts$',
  undici: '/undici-[^/]+\\.ts$',
  'eventsource-parser': '/eventsource-[^/]+\\.ts$',
  'rate-limiter-flexible': '/rate-limiter-flexible-[^/]+\\.ts$',
  '@asteasolutions/zod-to-openapi': '/zod-to-openapi-[^/]+\\.ts$',
  commander: '^src/cli/',
};

const vendorRules = Object.entries(VENDORS).map(([vendor, allowed]) => ({
  name: `vendor-${vendor.replace(/[^a-z0-9]+/gi, '-').replace(/^-/, '')}`,
  comment: `${vendor} is imported only by the files named after it`,
  severity: 'error',
  from: { path: '^src/', pathNot: allowed },
  to: { path: `node_modules/${vendor}(/|$)` },
}));

module.exports = {
  forbidden: [
    ...vendorRules,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'adapters-are-wired-in-app',
      comment:
        'Steps import ports, types, errors and pure helpers; core.ts, open-store.ts and app.ts build and wire the adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(app|core|doors|open-store)\\.ts$|^src/cli/|${ADAPTERS}` },
      to: { path: ADAPTERS },
    },
    {
      name: 'nobody-imports-main',
      severity: 'error',
      from: {},
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'the-browser-stays-apart',
      comment: 'page and client run in a browser: they see each other and types, nothing of the server',
      severity: 'error',
      from: { path: '^src/(page|client)/' },
      to: { path: '^src/', pathNot: '^src/(page|client)/', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
