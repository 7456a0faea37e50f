// Keeps the screen on while the page is seen.

export function stayAwake(): void {
  const ask = (): void => {
    if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
    // A system that refuses keeps its own rules: a kiosk turns its screen saver off.
    navigator.wakeLock.request('screen').catch(() => undefined);
  };
  ask();
  document.addEventListener('visibilitychange', ask);
}
