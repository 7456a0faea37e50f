// Starts the page: the worker, the store, the screens.

import { mount } from 'svelte';

import { start } from './start';
import App from './shell/App.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('the page has no place for the screens');
const { store, act, door, station, health } = start();
mount(App, { target, props: { store, act, door, station, health } });
