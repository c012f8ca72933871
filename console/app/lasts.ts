import { type Last, lastsIn, withLast } from './lasts-model.ts';
import { keepText, keptText } from './settings.ts';

const KEPT = 'lasts';

export const lasts = (): readonly Last[] => lastsIn(keptText(KEPT));
export const rememberLast = (one: Last): void => keepText(KEPT, JSON.stringify(withLast(lasts(), one)));
