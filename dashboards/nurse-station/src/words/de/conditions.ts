// Every alarm condition in German: its name, its label on a tile, and what to check. Proposals that no clinician has signed.
import type { ConditionId, ConditionWords } from '../en/conditions';

/** The conditions by id. */
export const conditions: Record<ConditionId, ConditionWords> = {
  'agent.not_sampling': [
    'Agent lebt, sendet aber keine Messwerte',
    'KEINE MESSWERTE',
    'die Pumpe an ihrer Konsole; Kabel und Einstellungen der Messgeräte des Agenten, sein Protokoll',
  ],
  'agent.recording': [
    'Agent zeichnet nicht auf',
    'AGENT OHNE AUFZ.',
    'Platte des Agenten der Pumpe: solange er nicht aufzeichnet, verliert ein Ausfall das Gemessene',
  ],
  'air.arterial': [
    'mögliche Luft auf der arteriellen Seite: Detektor',
    'LUFT ARTERIELL?',
    'die Leitung auf Luft; wie der Patient getrennt wird: eine stehende Pumpe trennt niemanden, Klemmen tun es; dann der Detektor',
  ],
  'air.suspected': [
    'mögliche Luft im Kreislauf',
    'LUFT?',
    'Pumpenkopf und Drainageleitung auf Luft und Schaum; Konnektoren, Hähne, Kanüle; Sitz des Flusssensors',
  ],
  'air.venous': [
    'mögliche Luft auf der venösen Seite: Detektor',
    'LUFT VENÖS?',
    'Drainageleitung, Konnektoren und Hähne auf ein Leck, das Luft zieht; Sog; dann der Detektor',
  ],
  'alarm.missed': [
    'während der Trennung wurde etwas verpasst',
    'ALARM VERPASST',
    'die Liste des Verpassten in der Alarmzentrale und die Pumpe an ihrer Konsole; quittieren, wenn gelesen',
  ],
  'alarm.verdict_differs': [
    'Agent und Gateway urteilen verschieden',
    'URTEILE VERSCHIEDEN',
    'die Pumpe an ihrer Konsole; Versionen und Profile von Agent und Gateway, beide Protokolle',
  ],
  'battery.critical': [
    'Akku fast leer',
    'AKKU FAST LEER',
    'Netzstecker und Steckdose jetzt; zweiter Akku; Handkurbel am Bett',
  ],
  'battery.low': [
    'Akku niedrig',
    'AKKU NIEDRIG',
    'Netzstecker und Steckdose; Restzeit auf der Konsole; den Transport rechtzeitig beenden',
  ],
  'bleeding.trend': [
    'möglicher Blutverlust: ein Verlauf, kein Alarm',
    'BLUTVERLUST? VERLAUF',
    'Wunden, Drainagen, Kanülenstellen, Kopf; Hämatokrit, arterieller Druck, Herzfrequenz; kein Zeichen schließt eine Blutung aus',
  ],
  'circuit.disconnection': [
    'möglicherweise offener Kreislauf',
    'KREISLAUF OFFEN?',
    'Konnektoren, Kanülenstellen und Leitungen von Kanüle zu Kanüle; Klemmen bereit; auch unter den Decken',
  ],
  'clock.skew': [
    'Uhren weichen ab',
    'UHREN WEICHEN AB',
    'Zeitdienst des Agenten und des Gateways; Uhrzeiten dieser Pumpe sind nicht verlässlich',
  ],
  'comm.broker': [
    'Gateway ohne seinen Broker',
    'KEIN BROKER',
    'jede Pumpe an ihrer Konsole: nichts erreicht diese Anzeige; Broker und Netz des Gateways',
  ],
  'comm.console_silent': [
    'Konsole stumm',
    'KONSOLE STUMM',
    'die Pumpe an ihrer Konsole; Kabel zwischen Konsole und Agent; Datenausgang der Konsole',
  ],
  'comm.damaged': [
    'beschädigte Frames treffen ein',
    'FRAMES BESCHÄDIGT',
    'Protokoll des Gateways: von wem, auf welchem Weg; Netz und Broker dieses Wegs; Version des Agenten; ist es ein Fremder',
  ],
  'comm.redundancy_lost': [
    'einer von zwei Wegen verloren',
    'EIN WEG VERLOREN',
    'Broker und Netz des verlorenen Wegs; die Pumpe wird über den anderen überwacht',
  ],
  'comm.stale': [
    'keine Daten von der Pumpe',
    'KEINE DATEN',
    'die Pumpe an ihrer Konsole; Strom und Netz ihres Agenten',
  ],
  'delivery.unconfirmed': [
    'keine Anzeige hat einen Alarm gezeigt',
    'ALARM NICHT GEZEIGT',
    'die Pumpe, die der Alarm nennt, an ihrer Konsole; Anzeigen der Station und ihr Netz',
  ],
  'delta.high': [
    'Druckabfall der Membran hoch',
    'MEMBRAN-ΔP HOCH',
    'Oxygenator mit Licht auf Gerinnsel; Verlauf des Abfalls bei gleichem Fluss; Gas nach der Membran; Antikoagulation',
  ],
  'display.lost': [
    'eine Anzeige ist weg oder eingefroren',
    'ANZEIGE VERLOREN',
    'die Anzeige, die die Liste nennt: ist sie an, bewegt sich ihr Bild; die anderen Anzeigen der Station',
  ],
  'display.none': [
    'niemand schaut auf die Station',
    'NIEMAND SCHAUT',
    'ans Bett gehen; eine Anzeige für die Station starten oder die verdeckte öffnen',
  ],
  'display.silent': [
    'keine Anzeige der Station ist zu hören',
    'KEIN TON AUF STATION',
    'Ton der Anzeigen: Erlaubnis des Browsers, Lautsprecher, Lautstärke',
  ],
  'drain.chatter': [
    'mögliches Ansaugen der Drainage',
    'ANSAUGEN?',
    'Volumen, Ansaugen an der Venenwand, Lage und Knicke der Kanüle; mehr Drehzahl bringt den Fluss nicht zurück',
  ],
  'drain.high': [
    'Drainagedruck hoch: Sog möglicherweise verloren',
    'SOG VERLOREN?',
    'Drainageleitung und Konnektoren auf eine Öffnung; dreht die Pumpe; Aufnehmer zur Luft offen',
  ],
  'drain.low.alarm': [
    'Drainagedruck sehr niedrig',
    'P VEN SEHR NIEDRIG',
    'Knicke, Lage der Kanüle, Volumen, Drehzahl; starker Sog schädigt Blut und setzt Gas frei',
  ],
  'drain.low.warn': [
    'Drainagedruck niedrig',
    'P VEN NIEDRIG',
    'Knicke, Lage der Kanüle, Volumen, Drehzahl; Lage von Kopf und Hals',
  ],
  'drain.obstruction': [
    'mögliche Drainagebehinderung oder Volumenmangel',
    'DRAINAGE ZU?',
    'Knicke, Lage der Kanüle, Volumen, Blutung, Druck in Brust oder Bauch; mehr Drehzahl bringt vielleicht keinen Fluss',
  ],
  'drill.missed': [
    'der Alarmweg hat seine Probe nicht bestanden',
    'ALARMPROBE VERFEHLT',
    'die Pumpen an ihren Konsolen; Gateway, Broker und Anzeigen: Alarme kommen vielleicht nicht durch',
  ],
  'flow.high': [
    'Blutfluss hoch',
    'FLUSS HOCH',
    'Drehzahl gegen die Absicht; Rückgabeseite auf eine Öffnung; Gewicht und Ziel, wie eingegeben',
  ],
  'flow.low': [
    'Blutfluss niedrig',
    'FLUSS NIEDRIG',
    'Drainage- und Rückgabedruck, Knicke, Volumen, Drehzahl; Gewicht und Ziel, wie eingegeben',
  ],
  'flow.min_oxygenator': [
    'Blutfluss unter dem Mindestfluss des Oxygenators',
    'FLUSS UNTER OXY-MIN.',
    'Fluss gegen die Angabe des Oxygenator-Herstellers; wie lange die Entwöhnung dauert; Gerinnsel',
  ],
  'flow.retrograde': [
    'Blut fließt möglicherweise rückwärts',
    'RÜCKFLUSS?',
    'dreht die Pumpe, braucht es eine Klemme: eine stehende Zentrifugalpumpe verschließt nichts; Richtung des Sensors',
  ],
  'flow.very_low': [
    'Blutfluss sehr niedrig',
    'FLUSS SEHR NIEDRIG',
    'jetzt Patient und Pumpe; Knicke, Klemmen, Volumen, Drainage- und Rückgabedruck, Drehzahl',
  ],
  'gas.failure': [
    'möglicher Gasausfall: Membran oxygeniert nicht',
    'GASAUSFALL?',
    'Gasleitung von der Wand zur Membran, Mischer, Versorgung; Gasauslass frei; Blutgas nach der Membran',
  ],
  'gas.fdo2.dev': [
    'Sauerstoffanteil weicht von der Einstellung ab',
    'FDO₂ WEICHT AB',
    'Mischer und seine Versorgung; Kalibrierung des Analysators',
  ],
  'gas.sweep.low': [
    'Spülgas niedrig',
    'SPÜLGAS NIEDRIG',
    'Gasleitung an beiden Enden verbunden, kein Knick; Flussmesser, Versorgung oder Flasche; Einstellung',
  ],
  'gateway.config_differs': [
    'die beiden Gateways unterscheiden sich',
    'GATEWAYS VERSCHIEDEN',
    'Profil, Einstellungen und Versionen beider Gateways: sie alarmieren vielleicht verschieden',
  ],
  'gateway.overload': [
    'Gateway überlastet: Alarme verspätet',
    'GATEWAY LANGSAM',
    'die Pumpen an ihren Konsolen; Last des Gateway-Rechners',
  ],
  'gateway.peer_lost': [
    'das andere Gateway ist stumm',
    '2. GATEWAY STUMM',
    'das andere Gateway und sein Netz; dieses wacht allein',
  ],
  'gateway.recording': [
    'Gateway zeichnet nicht auf',
    'KEINE AUFZEICHNUNG',
    'Platte von Journal und Verlauf des Gateways: Platz, Rechte, Fehler; Alarme gehen weiter, der Verlauf hat Lücken',
  ],
  'gateway.state': [
    'was Menschen tun, wird nicht bewahrt',
    'NICHTS WIRD BEWAHRT',
    'Platte des Gateway-Zustands: Platz, Rechte, Fehler; ein Neustart vergäße Quittierungen und Grenzen',
  ],
  'heater.over': [
    'Heizwasser zu heiß',
    'HEIZUNG ZU HEISS',
    'Sollwert und Wasser der Heizung; vom Kreislauf nehmen, wenn sie nicht gehorcht; Rückgabetemperatur',
  ],
  'latency.agent': [
    'Agent langsam: Alarme verspätet',
    'AGENT LANGSAM',
    'die Pumpen an ihren Konsolen; Last der Agenten-Rechner',
  ],
  'latency.display': [
    'Anzeigen langsam: Alarme verspätet',
    'ANZEIGEN LANGSAM',
    'Anzeigen, die die Liste nennt; ihr Netz und ihre Last',
  ],
  'latency.network': [
    'Netz langsam: Alarme verspätet',
    'NETZ LANGSAM',
    'die Pumpen an ihren Konsolen; Broker und Netz zwischen Agenten und Gateway',
  ],
  'level.low': [
    'Reservoirpegel niedrig',
    'PEGEL NIEDRIG',
    'Reservoir oder Blase, Drainage, Volumen, Drehzahl; Sitz des Pegelsensors',
  ],
  'ownership.unanswered': [
    'niemand hat die Pumpe übernommen',
    'WER ÜBERNIMMT?',
    'wer sich um den Patienten kümmert: Pumpe übernehmen oder fragen, wer es tut',
  ],
  'oxygenator.clotting': [
    'mögliche Gerinnung im Oxygenator',
    'GERINNUNG?',
    'Oxygenator mit Licht auf Gerinnsel; Gas nach der Membran; Drehzahl für denselben Fluss; Ersatz bereit',
  ],
  'post.high.alarm': [
    'Druck nach der Membran sehr hoch',
    'P POST SEHR HOCH',
    'Rückgabeleitung und Kanüle auf Knicke, Gerinnsel, Klemmen; Nachlast, arterieller Druck; Drehzahl',
  ],
  'post.high.warn': [
    'Druck nach der Membran hoch',
    'P POST HOCH',
    'Rückgabeleitung und Kanüle auf Knicke und Klemmen; Nachlast, arterieller Druck; Drehzahl',
  ],
  'post.low': [
    'Druck nach Membran gefallen: Leitung möglicherweise offen',
    'P POST FIEL: OFFEN?',
    'Rückgabeleitung, Konnektoren und Kanüle auf eine Öffnung; dreht die Pumpe; Aufnehmer zur Luft offen',
  ],
  'power.depleting': [
    'Akku nach eigenem Verlauf bald leer',
    'AKKU ENTLÄDT',
    'Netzstecker und Steckdose; zweiter Akku; Handkurbel am Bett; was die Konsole zum Akku sagt',
  ],
  'power.mains_lost': [
    'Netzstrom ausgefallen',
    'KEIN NETZSTROM',
    'Stecker, Steckdose, Schalter; Akku-Restzeit; Heizung und Gasgeräte an derselben Steckdose',
  ],
  'pre.high.alarm': [
    'Druck vor der Membran sehr hoch',
    'P PRÄ SEHR HOCH',
    'Rückgabeleitung auf Knicke und Klemmen; Oxygenator auf Gerinnsel; Drehzahl; bei Rollenpumpe: Gefahr des Platzens',
  ],
  'pre.high.warn': [
    'Druck vor der Membran hoch',
    'P PRÄ HOCH',
    'Rückgabeleitung auf Knicke und Klemmen; Oxygenator auf Gerinnsel; Drehzahl',
  ],
  'pulse.low': [
    'arterieller Druck pulsiert kaum: Information',
    'PULS SCHWACH',
    'wirft das Herz aus, ist die linke Seite voll; gedämpfter Aufnehmer oder Leitung',
  ],
  'pump.speed.high': [
    'Drehzahl hoch',
    'DREHZAHL HOCH',
    'Drehzahl gegen die Absicht; warum so viel nötig ist: Volumen, Knicke, Gerinnsel',
  ],
  'pump.stop': [
    'Pumpe steht',
    'PUMPENSTOPP',
    'Pumpenkopf und Antrieb, Strom, Meldungen der Konsole; Klemme: eine stehende Zentrifugalpumpe verschließt nichts',
  ],
  recirculation: [
    'mögliche Rezirkulation',
    'REZIRKULATION?',
    'Lage und Tiefe der Kanüle, Fluss, Volumen; Sättigung des Patienten, nicht der Drainage; Brücke geschlossen',
  ],
  'return.obstruction': [
    'mögliche Behinderung der Rückgabe',
    'RÜCKGABE ZU?',
    'Rückgabeleitung und Kanüle auf Knicke, Gerinnsel, Klemmen; Lage; Nachlast: stieg der arterielle Druck mit',
  ],
  'sat.drain.low': [
    'Sättigung in der Drainage niedrig',
    'S VEN NIEDRIG',
    'Blutfluss, Hämoglobin, Sauerstoffbedarf des Patienten; Kalibrierung des Sensors',
  ],
  'sat.post.low': [
    'Sättigung nach der Membran niedrig',
    'S POST NIEDRIG',
    'Spülgas und Sauerstoffanteil, Gasleitung; Oxygenator; Blutgas nach der Membran; Kalibrierung des Sensors',
  ],
  'sensor.fault': [
    'Sensorfehler: {parameter}',
    'SENSOR {parameter}',
    'Kabel, Stecker, Aufnehmer und sein Nullpunkt, Sitz des Sensors; bis dahin diesen Wert an der Konsole ablesen',
  ],
  'sensor.rate': [
    'Messwerte in falschem Takt',
    'FALSCHER TAKT',
    'Einstellungen des Messgeräts; Last des Agenten-Rechners; Zeiten dieses Werts sind nicht verlässlich',
  ],
  'source.duplicate': [
    'zwei Agenten senden als eine Pumpe',
    'ZWEI AGENTEN',
    'welcher Agent an dieser Pumpe ist; Pumpen-ID in den Einstellungen beider',
  ],
  'temp.return.high': [
    'Rückgabetemperatur hoch',
    'TEMP HOCH',
    'Sollwert und Wasser der Heizung; Temperaturfühler; Temperatur des Patienten',
  ],
  'temp.return.low': [
    'Rückgabetemperatur niedrig',
    'TEMP NIEDRIG',
    'Heizung an und verbunden, Sollwert; Temperaturfühler; Kühlung beabsichtigt?',
  ],
};
