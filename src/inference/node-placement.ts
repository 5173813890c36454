import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const eventsSchema = z.array(
  z.looseObject({
    cat: z.string().optional(),
    args: z
      .looseObject({
        provider: z.string().optional(),
        op_name: z.string().optional(),
        output_type_shape: z.array(z.record(z.string(), z.array(z.number()))).optional(),
      })
      .optional(),
  }),
);

/**
 * Operators whose floating-point work fell back to the CPU, from a profile of the runtime. Nodes about ids, masks and
 * shapes stand on the CPU by right: their results are no larger than the input. A larger floating-point result is work
 * that the device was asked to do.
 *
 * @param inputSize ids in the profiled run's input, padding included
 */
export async function operatorsOnCpu(profilePath: string, inputSize: number): Promise<string[]> {
  const events = eventsSchema.parse(JSON.parse(await readFile(profilePath, 'utf8')));
  const operators = events
    .filter(({ cat, args }) => cat === 'Node' && args?.provider === 'CPUExecutionProvider')
    .filter(({ args }) =>
      args?.output_type_shape?.some((output) =>
        Object.entries(output).some(([type, dims]) => isFloat(type) && sizeOf(dims) > inputSize),
      ),
    )
    .map(({ args }) => args?.op_name ?? 'unknown');
  return [...new Set(operators)];
}

function isFloat(type: string): boolean {
  return type === 'float' || type === 'float16';
}

function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
