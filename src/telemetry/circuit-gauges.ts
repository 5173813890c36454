import type { CircuitBreaker, CircuitState } from '../retrieve/circuit-breaker.js';
import type { Metrics } from './metrics.js';

const STATES: readonly CircuitState[] = ['closed', 'half-open', 'open'];

/** Shows which of the services that a request goes to are being asked, and which are left alone for a while. */
export function watchCircuits(
  circuits: ReadonlyMap<string, Pick<CircuitBreaker, 'state'>>,
  metrics: Metrics,
): void {
  metrics.watch({
    name: 'askbase_circuit_state',
    help: '1 for the state that the circuit to this service is in: open means that it is not asked.',
    labelNames: ['service', 'state'],
    read: () =>
      [...circuits].flatMap(([service, circuit]) =>
        STATES.map((state) => ({ labels: { service, state }, value: circuit.state === state ? 1 : 0 })),
      ),
  });
}
