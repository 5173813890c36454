import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../src/config.js';

const ROOT = new URL('..', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

interface Service {
  profiles: string[];
  image?: string;
  build?: string;
  environment?: Record<string, unknown>;
  volumes: string[];
  ports?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }> | string[];
  deploy?: { resources: { reservations: { devices: { capabilities: string[] }[] } } };
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
  const services = Object.entries(compose.services);
  const inProfile = (profile: string): string[] =>
    services.filter(([, { profiles }]) => profiles.includes(profile)).map(([name]) => name);

  it('has one app and one Qdrant, the same with a GPU, and two apps over Redis and three Qdrant nodes', () => {
    expect(inProfile('single')).toEqual(['app', 'qdrant']);
    expect(inProfile('gpu')).toEqual(['app-gpu', 'qdrant']);
    expect(inProfile('cluster')).toEqual(['app-1', 'app-2', 'qdrant-1', 'qdrant-2', 'qdrant-3', 'redis']);
    expect(compose.services['app-gpu']?.deploy?.resources.reservations.devices[0]?.capabilities).toContain(
      'gpu',
    );
  });

  it('checks the health of every service and starts an app only when its Qdrant answers', () => {
    const dockerfile = read('Dockerfile');
    for (const [name, service] of services) {
      expect(
        service.healthcheck !== undefined || (service.build === '.' && dockerfile.includes('HEALTHCHECK')),
        name,
      ).toBe(true);
      if (!name.startsWith('app')) continue;
      const conditions = Object.values(service.depends_on as Record<string, { condition: string }>);
      expect(conditions.map(({ condition }) => condition)).toContain('service_healthy');
    }
  });

  it('keeps data in named volumes, each declared, none shared between two services of a profile', () => {
    const named = services.map(
      ([name, { volumes }]) => [name, volumes.filter((volume) => !volume.startsWith('.'))] as const,
    );
    for (const [name, volumes] of named) {
      expect(volumes.length, name).toBeGreaterThan(0);
      for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
    }
    const cluster = inProfile('cluster').flatMap(
      (name) => named.find(([known]) => known === name)?.[1] ?? [],
    );
    expect(new Set(cluster).size).toBe(cluster.length);
  });

  it('tells every app of the cluster all nodes, and settings that the app takes', () => {
    for (const app of inProfile('cluster').filter((name) => name.startsWith('app'))) {
      const environment = compose.services[app]?.environment ?? {};
      // `${NAME:-default}` is what compose puts in where the variable is not set.
      const given = Object.entries(environment).map(
        ([name, value]) => [name, String(value).replace(/\$\{\w+:-(.*)\}/, '$1')] as const,
      );
      const { qdrant } = readConfig(Object.fromEntries(given), '/');
      expect(qdrant?.urls.map((url) => new URL(url).hostname)).toEqual(['qdrant-1', 'qdrant-2', 'qdrant-3']);
      expect(qdrant?.layout).toEqual({ shards: 3, replicas: 2, writeConsistency: 1 });
    }
  });

  it('publishes ports on this machine only', () => {
    for (const [, { ports }] of services)
      for (const port of ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('is given every folder that the Dockerfile copies', () => {
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      (match) => match[1]?.split(' ') ?? [],
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) expect(existsSync(new URL(path, ROOT)), path).toBe(true);
    const ignored = read('.dockerignore').split('\n').filter(Boolean);
    expect(copied.filter((path) => ignored.includes(path.replace('./', '')))).toEqual([]);
  });
});
