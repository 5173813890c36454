import { availableParallelism, totalmem } from 'node:os';
import type { Config } from '../config.js';
import type { Logger } from '../telemetry/logger.js';
import { hasFastInt8 } from './device-choice.js';
import type { ModelRequest, ModelStatus } from './engine-protocol.js';
import { createInferenceEngine } from './inference-engine.js';
import { knownDevices } from './onnx-session.js';

export interface MachineReport {
  cores: number;
  memoryBytes: number;
  fastInt8: boolean;
  /** Devices that the runtime was built with. */
  devices: string[];
  /** How the configured models load here. */
  models: ModelStatus[];
  /** The same for people. */
  lines: string[];
}

const silent = (): void => undefined;
const silentLogger: Logger = { error: silent, warn: silent, info: silent, debug: silent };

/** Loads the configured models as the server would, and says what they run on and what stands in the way of more. */
export async function examineMachine(config: Config): Promise<MachineReport> {
  const requests: ModelRequest[] = [
    { name: config.embed.model, kind: 'embedder', device: config.embed.device },
    { name: config.rerank.model, kind: 'reranker', device: config.rerank.device },
  ];
  const engine = await createInferenceEngine({
    modelsDir: config.modelsDir,
    models: requests,
    logger: silentLogger,
  });
  try {
    await engine.loaded();
    const machine = {
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      fastInt8: hasFastInt8(),
      devices: knownDevices(),
      models: engine.status(),
    };
    return { ...machine, lines: describe(machine) };
  } finally {
    await engine.close();
  }
}

function describe({ cores, memoryBytes, fastInt8, devices, models }: Omit<MachineReport, 'lines'>): string[] {
  const onGraphics = models.some(({ device }) => device !== null && device !== 'cpu');
  return [
    `${cores} cores, ${(memoryBytes / 1e9).toFixed(1)} GB of memory, integer products ${fastInt8 ? 'fast (int8 is used)' : 'not fast (fp32 is used)'}`,
    `the runtime knows: ${devices.join(', ')}`,
    ...models.map(describeModel),
    ...(onGraphics ? [] : ADVICE.flatMap(({ device, advice }) => (devices.includes(device) ? [advice] : []))),
  ];
}

function describeModel(status: ModelStatus): string {
  const { name, kind, device, precision, sessions, golden, reason } = status;
  if (!status.ready) return `${kind} ${name}: NOT in use. ${reason}`;
  const checked = golden === null ? 'no golden pairs to check' : 'golden pairs right';
  const passedOver = reason === null ? '' : `\n  passed over: ${reason}`;
  return `${kind} ${name}: ${device}, ${precision}, ${sessions} sessions, ${checked}${passedOver}`;
}

const ADVICE = [
  {
    device: 'webgpu',
    advice:
      'webgpu needs a graphics card with a Vulkan driver (libvulkan.so.1 and an ICD; `vulkaninfo --summary` lists them); in a container, hand the device through (`--device /dev/dri`, or `--gpus all` with NVIDIA_DRIVER_CAPABILITIES=all).',
  },
  {
    device: 'cuda',
    advice:
      "cuda needs an NVIDIA driver, CUDA 12 and cuDNN 9, and the runtime's CUDA libraries, which are not in the npm package: `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --foreground-scripts` fetches them.",
  },
  { device: 'dml', advice: 'dml needs Windows 10 or newer and a DirectX 12 graphics card.' },
  { device: 'coreml', advice: 'coreml needs macOS.' },
];
