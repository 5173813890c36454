import { readFileSync } from 'node:fs';
import type { Device } from '../config.js';
import type { ModelFile, Precision } from './model-manifest.js';
import type { EngineDevice } from './onnx-session.js';

/** A device and the file that would run on it. */
export interface Attempt {
  device: EngineDevice;
  file: ModelFile;
}

export interface Machine {
  /** Devices that the runtime was built with. */
  known: readonly string[];
  /** Whether integer products are fast and do not saturate. */
  fastInt8: boolean;
}

/** Graphics cards, the fastest interface first. */
const GRAPHICS: readonly EngineDevice[] = ['cuda', 'dml', 'coreml', 'webgpu'];

/**
 * What to try, best first: the device that was asked for, or for `auto` each one the runtime knows and the CPU last;
 * on each device the precision that suits it, then the others that run there.
 */
export function attemptsFor(requested: Device, files: readonly ModelFile[], machine: Machine): Attempt[] {
  const devices: readonly EngineDevice[] =
    requested === 'auto'
      ? [...GRAPHICS.filter((device) => machine.known.includes(device)), 'cpu']
      : [requested];
  return devices.flatMap((device) =>
    precisionsFor(device, machine).flatMap((precision) =>
      files.filter((file) => file.precision === precision).map((file) => ({ device, file })),
    ),
  );
}

function precisionsFor(device: EngineDevice, { fastInt8 }: Machine): Precision[] {
  if (device !== 'cpu') return ['fp16', 'fp32'];
  return fastInt8 ? ['int8', 'fp32', 'fp16'] : ['fp32', 'int8', 'fp16'];
}

/** Integer dot products: VNNI on x64, part of every 64-bit ARM that we meet. */
export function hasFastInt8(): boolean {
  if (process.arch === 'arm64') return true;
  if (process.platform !== 'linux') return false;
  try {
    return /\bavx(512)?_vnni\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}
