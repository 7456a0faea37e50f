// Every text of the page in French, screen by screen.
import { alarms } from './alarms';
import { events } from './events';
import { pump } from './pump';
import { settings } from './settings';
import { shell } from './shell';

/** The texts by key. */
export const texts = { ...shell, ...alarms, ...events, ...pump, ...settings };
