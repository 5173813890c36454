import type { Logger } from '../../src/telemetry/logger.js';

const ignore = (): void => {};

/** For tests that are not about what is logged. */
export const silentLogger: Logger = { error: ignore, warn: ignore, info: ignore, debug: ignore };
