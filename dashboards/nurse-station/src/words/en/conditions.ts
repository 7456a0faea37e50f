// Every alarm condition in English: its name, its label on a tile, and what to check. Proposals that no clinician has signed.

/** Name, label of a tile, what to check. */
export type ConditionWords = readonly [name: string, tile: string, check: string];

/** What a display infers is "possible", never certain. */
export const conditions = {
  'agent.not_sampling': [
    'agent lives, and sends no samples',
    'NO SAMPLES',
    "the pump at its console; cables and settings of the agent's instruments, its log",
  ],
  'agent.recording': [
    'agent does not record',
    'AGENT NOT RECORDING',
    "disk of the pump's agent: while it does not record, an outage loses what was measured",
  ],
  'air.arterial': [
    'possible air on the arterial side: detector',
    'AIR ARTERIAL?',
    'the line for air; how the patient is isolated: a stopped pump isolates nobody, clamps do; then the detector',
  ],
  'air.suspected': [
    'possible air in the circuit',
    'AIR?',
    "pump head and drainage line for air and froth; connectors, taps, cannula; flow sensor's contact",
  ],
  'air.venous': [
    'possible air on the venous side: detector',
    'AIR VENOUS?',
    'drainage line, connectors and taps for a leak that draws air; suction; then the detector',
  ],
  'alarm.missed': [
    'something was missed while disconnected',
    'MISSED ALARM',
    'the list of what was missed in the alarm centre, and the pump at its console; acknowledge once it is read',
  ],
  'alarm.verdict_differs': [
    'agent and gateway judge differently',
    'VERDICTS DIFFER',
    'the pump at its console; versions and profiles of agent and gateway, and the logs of both',
  ],
  'battery.critical': [
    'battery nearly empty',
    'BATTERY EMPTY SOON',
    'mains plug and outlet now; second battery; hand crank at the bed',
  ],
  'battery.low': [
    'battery low',
    'BATTERY LOW',
    'mains plug and outlet; time left on the console; end the transport in time',
  ],
  'bleeding.trend': [
    'possible loss of blood: a trend, no alarm',
    'BLOOD LOSS? TREND',
    'wounds, drains, cannula sites, head; haematocrit, arterial pressure, heart rate; no sign excludes bleeding',
  ],
  'circuit.disconnection': [
    'possible open circuit',
    'CIRCUIT OPEN?',
    'connectors, cannula sites and lines from cannula to cannula; clamps at hand; under the blankets too',
  ],
  'clock.skew': [
    'clocks differ',
    'CLOCKS DIFFER',
    "time service of the pump's agent and of the gateway; wall times of this pump are not to be trusted",
  ],
  'comm.broker': [
    'gateway without its broker',
    'NO BROKER',
    'every pump at its console: nothing reaches this display; broker and network of the gateway',
  ],
  'comm.console_silent': [
    'console silent',
    'CONSOLE SILENT',
    "the pump at its console; cable between console and agent; console's data output",
  ],
  'comm.damaged': [
    'damaged frames arrive',
    'DAMAGED FRAMES',
    "the gateway's log: who, by which path; network and broker of that path; the agent's version; is it a stranger",
  ],
  'comm.redundancy_lost': [
    'one of two paths lost',
    'ONE PATH LOST',
    'broker and network of the path that is gone; the pump is watched over the other one',
  ],
  'comm.stale': [
    'no data from the pump',
    'NO DATA',
    'the pump at its console; power and network of its agent',
  ],
  'delivery.unconfirmed': [
    'no display has shown an alarm',
    'ALARM NOT SHOWN',
    'the pump that the alarm names, at its console; displays of the ward and their network',
  ],
  'delta.high': [
    'membrane pressure drop high',
    'MEMBRANE DROP HIGH',
    'oxygenator for clots with a light; trend of the drop at the same flow; gas after the membrane; anticoagulation',
  ],
  'display.lost': [
    'a display is gone or frozen',
    'DISPLAY LOST',
    'the display that the list of displays names: is it on, does its picture move; the other displays of the ward',
  ],
  'display.none': [
    'nobody watches the ward',
    'NOBODY WATCHES',
    'go to the bedside; start a display for the ward, or open the one that is hidden',
  ],
  'display.silent': [
    'no display of the ward can be heard',
    'NO SOUND IN WARD',
    "sound of the displays: browser's permission, loudspeaker, volume",
  ],
  'drain.chatter': [
    'possible chatter of the drainage',
    'DRAIN CHATTER?',
    "volume, suction against the vein's wall, cannula's place and kinks; a higher speed does not bring flow back",
  ],
  'drain.high': [
    'drainage pressure high: suction possibly lost',
    'SUCTION LOST?',
    'drainage line and its connectors for an opening; is the pump turning; transducer open to air',
  ],
  'drain.low.alarm': [
    'drainage pressure very low',
    'DRAIN VERY LOW',
    "kinks, cannula's place, volume, pump speed; strong suction damages blood and frees gas",
  ],
  'drain.low.warn': [
    'drainage pressure low',
    'DRAIN LOW',
    "kinks, cannula's place, volume, pump speed; position of head and neck",
  ],
  'drain.obstruction': [
    'possible drainage obstruction or lack of volume',
    'DRAIN BLOCKED?',
    "kinks, cannula's place, volume, bleeding, pressure in chest or belly; more speed may not bring flow back",
  ],
  'drill.missed': [
    'the alarm path failed its drill',
    'ALARM DRILL FAILED',
    'the pumps at their consoles; gateway, broker and displays: alarms may not come through',
  ],
  'flow.high': [
    'blood flow high',
    'FLOW HIGH',
    'pump speed against what is intended; return side for an opening; weight and target as entered',
  ],
  'flow.low': [
    'blood flow low',
    'FLOW LOW',
    'drainage and return pressure, kinks, volume, pump speed; weight and target as entered',
  ],
  'flow.min_oxygenator': [
    "blood flow below the oxygenator's least",
    'FLOW BELOW OXYG.',
    "flow against what the oxygenator's maker allows; how long the wean takes; clots",
  ],
  'flow.retrograde': [
    'blood possibly flows backwards',
    'BACKFLOW?',
    "is the pump turning, is a clamp needed: a stopped centrifugal pump occludes nothing; the sensor's direction",
  ],
  'flow.very_low': [
    'blood flow very low',
    'FLOW VERY LOW',
    'the patient and the pump now; kinks, clamps, volume, drainage and return pressure, pump speed',
  ],
  'gas.failure': [
    'possible gas failure: membrane does not oxygenate',
    'GAS FAILURE?',
    'gas line from wall to membrane, blender, supply; gas exhaust free; blood gas after the membrane',
  ],
  'gas.fdo2.dev': [
    'oxygen fraction off its setting',
    'O2 OFF SETTING',
    "blender and its supply; analyser's calibration",
  ],
  'gas.sweep.low': [
    'sweep gas low',
    'SWEEP GAS LOW',
    'gas line connected at both ends, no kink; flow meter, supply or cylinder; setting',
  ],
  'gateway.config_differs': [
    'the two gateways differ',
    'GATEWAYS DIFFER',
    'profile, settings and versions of both gateways: they may alarm differently',
  ],
  'gateway.overload': [
    'gateway overloaded: alarms late',
    'GATEWAY SLOW',
    "the pumps at their consoles; load of the gateway's computer",
  ],
  'gateway.peer_lost': [
    'the other gateway is silent',
    '2ND GATEWAY SILENT',
    'the other gateway and its network; this one watches alone',
  ],
  'gateway.recording': [
    'gateway does not record',
    'NOT RECORDING',
    "disk of the gateway's journal and history: room, permissions, errors; live alarms go on, history has holes",
  ],
  'gateway.state': [
    'what people do is not kept',
    'ACTIONS NOT KEPT',
    "disk of the gateway's state: room, permissions, errors; a restart would forget acknowledgements and limits",
  ],
  'heater.over': [
    'heater water too hot',
    'HEATER TOO HOT',
    "heater-cooler's set point and water; take it off the circuit when it does not obey; return temperature",
  ],
  'latency.agent': [
    'agent slow: alarms late',
    'AGENT SLOW',
    "the pumps at their consoles; load of the agents' computers",
  ],
  'latency.display': [
    'displays slow: alarms late',
    'DISPLAYS SLOW',
    'displays that the list of displays names; their network and load',
  ],
  'latency.network': [
    'network slow: alarms late',
    'NETWORK SLOW',
    'the pumps at their consoles; broker and network between agents and gateway',
  ],
  'level.low': [
    'reservoir level low',
    'LEVEL LOW',
    "reservoir or bladder, drainage, volume, speed; level sensor's place",
  ],
  'ownership.unanswered': [
    'nobody has taken the pump',
    'WHO TAKES IT?',
    'who looks after the patient: accept the pump, or ask who does',
  ],
  'oxygenator.clotting': [
    'possible clotting of the oxygenator',
    'CLOTTING?',
    'oxygenator for clots with a light; gas after the membrane; speed for the same flow; a spare ready',
  ],
  'post.high.alarm': [
    'pressure after the membrane very high',
    'POST VERY HIGH',
    'return line and cannula for kinks, clots, clamps; afterload, arterial pressure; pump speed',
  ],
  'post.high.warn': [
    'pressure after the membrane high',
    'POST HIGH',
    'return line and cannula for kinks and clamps; afterload, arterial pressure; pump speed',
  ],
  'post.low': [
    'pressure after the membrane fell: line possibly open',
    'POST FELL: OPEN?',
    'return line, connectors and cannula for an opening; is the pump turning; transducer open to air',
  ],
  'power.depleting': [
    'battery empty soon by its own trend',
    'BATTERY DRAINING',
    'mains plug and outlet; second battery; hand crank at the bed; what the console says of the battery',
  ],
  'power.mains_lost': [
    'mains power lost',
    'NO MAINS',
    'plug, outlet, switch; battery time left; heater and gas devices on the same outlet',
  ],
  'pre.high.alarm': [
    'pressure before the membrane very high',
    'PRE VERY HIGH',
    'return line for kinks and clamps; oxygenator for clots; pump speed; with a roller pump: danger of rupture',
  ],
  'pre.high.warn': [
    'pressure before the membrane high',
    'PRE HIGH',
    'return line for kinks and clamps; oxygenator for clots; pump speed',
  ],
  'pulse.low': [
    'arterial pressure hardly pulsates: information',
    'PULSE LOW',
    'is the heart ejecting, is the left side full; damped transducer or line',
  ],
  'pump.speed.high': [
    'pump speed high',
    'SPEED HIGH',
    'speed against what is intended; why so much is needed: volume, kinks, clots',
  ],
  'pump.stop': [
    'pump stopped',
    'PUMP STOP',
    'pump head and drive, power, messages of the console; clamp: a stopped centrifugal pump occludes nothing',
  ],
  recirculation: [
    'possible recirculation',
    'RECIRCULATION?',
    "cannula's place and depth, flow, volume; the patient's saturation, not the drainage saturation; bridge closed",
  ],
  'return.obstruction': [
    'possible return obstruction',
    'RETURN BLOCKED?',
    'return line and cannula for kinks, clots, clamps; position; afterload: did the arterial pressure rise with it',
  ],
  'sat.drain.low': [
    'drainage saturation low',
    'DRAIN SAT LOW',
    "blood flow, haemoglobin, the patient's oxygen need; sensor's calibration",
  ],
  'sat.post.low': [
    'saturation after the membrane low',
    'POST SAT LOW',
    "sweep gas and oxygen fraction, gas line; oxygenator; blood gas after the membrane; sensor's calibration",
  ],
  'sensor.fault': [
    'sensor fault: {parameter}',
    'SENSOR {parameter}',
    "cable, plug, transducer and its zero, sensor's contact; until then read this value at the console",
  ],
  'sensor.rate': [
    'samples at a wrong rate',
    'SAMPLE RATE',
    "settings of the instrument; load of the agent's computer; times of this value are not to be trusted",
  ],
  'source.duplicate': [
    'two agents send as one pump',
    'TWO AGENTS',
    'which agent is at this pump; pump id in the settings of both',
  ],
  'temp.return.high': [
    'return temperature high',
    'TEMP HIGH',
    "heater-cooler's set point and water; temperature probe; the patient's temperature",
  ],
  'temp.return.low': [
    'return temperature low',
    'TEMP LOW',
    'heater-cooler on and connected, set point; temperature probe; cooling intended?',
  ],
} as const satisfies Record<string, ConditionWords>;

/** Id of a condition; the faults of sensors are one family. */
export type ConditionId = keyof typeof conditions;
