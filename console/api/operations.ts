/*
 * Calls that a page can do without, and what the server names them by: with the ids of `GET /v1/info` a page knows what there is without reading the
 * whole description of the interface, which is larger than all the pages together. What is not named here is taken to be there: the pages come from the
 * server they speak to.
 */

export const IDS: { readonly [call: string]: string } = {
  'GET /v1/batches': 'listBatches',
  'POST /v1/batches': 'createBatch',
  'GET /v1/definitions': 'listDefinitions',
  'PUT /v1/definitions/{}': 'putDefinition',
  'GET /v1/deliveries': 'listMessages',
  'GET /v1/events/stream': 'watchAll',
  'GET /v1/forms/{}': 'getForm',
  'GET /v1/participants': 'listParticipants',
  'GET /v1/participants/{}': 'getParticipant',
  'GET /v1/playground/requests': 'listPlaygroundRequests',
  'GET /v1/playground/requests/stream': 'watchPlaygroundRequests',
  'PUT /v1/playground/participants/{}': 'setPlaygroundManner',
  'GET /v1/stats': 'getStats',
  'GET /v1/stats/definitions': 'listSeenDefinitions',
  'GET /v1/stats/participants/{}': 'getParticipantFigures',
  'POST /v1/test/clock': 'advanceClock',
  'GET /v1/timers': 'listTimers',
  'GET /v1/workflows/count': 'countWorkflows',
  'GET /v1/workflows/{}/diagram.json': 'getDiagramData',
  'GET /v1/workflows/{}/events': 'watchWorkflow',
  'GET /v1/waits': 'listWaits',
  'GET /v1/schedules': 'listSchedules',
  'GET /v1/definitions/{}/places': 'getDefinitionPlaces',
  'POST /v1/workflows/{}/retry': 'retryWorkflow',
  'POST /v1/workflows/{}/expressions/{}/pause': 'pauseExpression',
  'POST /v1/workflows/{}/expressions/{}/reply': 'replyExpression',
  'POST /v1/workflows/{}/workitems/{}/claim': 'claimWorkitem',
};
