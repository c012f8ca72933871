import type { Log } from '../runtime/log.ts';

/**
 * A bug that nothing caught ends the process, for nobody knows what state it left: its last line says so, behind those that came before.
 * What Node would print beside the log (warnings) goes into the log as well, so that nothing is written to a reader who may not read.
 */
export function endWithLastLine(log: Log): void {
  // A rejection that nobody handles comes here as well; `origin` tells them apart.
  process.on('uncaughtException', (err, origin) => {
    log.error('rota ends: an error that nothing caught', { event: 'server.crashed', origin, err });
    // The log writes its rest when the process exits.
    process.exit(1);
  });
  process.removeAllListeners('warning');
  process.on('warning', (err) => log.warn('a warning of Node', { event: 'node.warning', err }));
}
