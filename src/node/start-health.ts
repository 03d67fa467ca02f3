import type { HttpHandler } from '../base/index.js';
import type { FelixConfig } from './felix-config/index.js';
import { Listener } from './listener.js';
import type { Place } from './listener.js';
import { createMetrics } from './metrics.js';
import type { Metrics, MetricSources } from './metrics.js';
import type { Ground } from './wiring.js';

export interface HealthParts extends Pick<Ground, 'parts' | 'settings' | 'clock' | 'log'> {
  /** answers health; the same as on the control socket */
  readonly health: HttpHandler;
  readonly sources: MetricSources;
}

/** What is open over TCP: health, and the rest only on the control socket. */
const HEALTH_PATHS = ['/live', '/liveness', '/ready', '/readiness'];

function healthPlace({ healthEnabled, healthHost, healthPort }: FelixConfig): Place | undefined {
  return healthEnabled ? { host: healthHost, port: healthPort } : undefined;
}

function metricsPlace({ metricsEnabled, metricsHost, metricsPort }: FelixConfig): Place | undefined {
  return metricsEnabled ? { host: metricsHost, port: metricsPort } : undefined;
}

/** Health and metrics over TCP, where the configuration wants them; returns what does not listen, and why. */
export async function startHealth(given: HealthParts): Promise<() => readonly string[]> {
  const { parts, settings, clock, log, health, sources } = given;
  let metrics: Promise<Metrics> | undefined;
  const listeners = await parts.start({
    name: 'health',
    start: async () =>
      await Promise.resolve({
        health: new Listener({
          name: 'health',
          handler: async (method, path) =>
            HEALTH_PATHS.includes(path) ? await health(method, path) : undefined,
          clock,
          log,
        }),
        metrics: new Listener({
          name: 'metrics',
          handler: async (method, path) => {
            if (method !== 'GET' || path !== '/metrics') return undefined;
            metrics ??= createMetrics(sources);
            const made = await metrics;
            return { status: 200, type: made.contentType, body: await made.text() };
          },
          clock,
          log,
        }),
      }),
    stop: async started => {
      await Promise.all([started.health.move(undefined), started.metrics.move(undefined)]);
    },
  });
  await settings.follow(async config => {
    const place = metricsPlace(config);
    // Durations count from here on.
    if (place !== undefined) await (metrics ??= createMetrics(sources));
    await Promise.all([listeners.health.move(healthPlace(config)), listeners.metrics.move(place)]);
  });
  return () => [listeners.health.problem, listeners.metrics.problem].filter(problem => problem !== undefined);
}
