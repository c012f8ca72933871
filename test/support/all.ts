/*
 * `npm test` is to be over in ten minutes on two cores. What takes long, and finds little that the rest does not find, is done in part there; with
 * ROTA_TEST_ALL=1 (`npm run test:all`) all of it is.
 */

const isAll = process.env['ROTA_TEST_ALL'] === '1';

/** How much of something: `few` in `npm test`, `all` in `npm run test:all`. */
export const fewOrAll = <Amount>(few: Amount, all: Amount): Amount => (isAll ? all : few);
