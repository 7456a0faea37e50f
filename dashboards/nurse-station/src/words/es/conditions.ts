// Every alarm condition in Spanish: its name, its label on a tile, and what to check. Proposals that no clinician has signed.
import type { ConditionId, ConditionWords } from '../en/conditions';

/** The conditions by id. */
export const conditions: Record<ConditionId, ConditionWords> = {
  'agent.not_sampling': [
    'el agente vive y no envía muestras',
    'SIN MUESTRAS',
    'la bomba en su consola; cables y ajustes de los instrumentos del agente, su registro',
  ],
  'agent.recording': [
    'el agente no registra',
    'AGENTE NO REGISTRA',
    'disco del agente: mientras no registra, un corte pierde lo medido',
  ],
  'air.arterial': [
    'posible aire en el lado arterial: detector',
    '¿AIRE ARTERIAL?',
    'la línea por si hay aire; cómo se aísla al paciente: una bomba parada no aísla, las pinzas sí; luego el detector',
  ],
  'air.suspected': [
    'posible aire en el circuito',
    '¿AIRE?',
    'cabezal y línea de drenaje por si hay aire o espuma; conectores, llaves, cánula; contacto del sensor de flujo',
  ],
  'air.venous': [
    'posible aire en el lado venoso: detector',
    '¿AIRE VENOSO?',
    'línea de drenaje, conectores y llaves por una fuga que aspire aire; succión; luego el detector',
  ],
  'alarm.missed': [
    'algo se perdió durante la desconexión',
    'ALARMA PERDIDA',
    'la lista de lo perdido en el centro de alarmas, y la bomba en su consola; reconocer cuando se haya leído',
  ],
  'alarm.verdict_differs': [
    'agente y pasarela juzgan distinto',
    'JUICIOS DISTINTOS',
    'la bomba en su consola; versiones y perfiles de agente y pasarela, y los registros de ambos',
  ],
  'battery.critical': [
    'batería casi vacía',
    'BATERÍA CASI VACÍA',
    'enchufe y toma ahora; segunda batería; manivela junto a la cama',
  ],
  'battery.low': [
    'batería baja',
    'BATERÍA BAJA',
    'enchufe y toma; tiempo restante en la consola; terminar el traslado a tiempo',
  ],
  'bleeding.trend': [
    'posible pérdida de sangre: tendencia, no alarma',
    '¿SANGRADO?',
    'heridas, drenajes, cánulas, cabeza; hematocrito, presión arterial, frecuencia; ningún signo excluye un sangrado',
  ],
  'circuit.disconnection': [
    'posible circuito abierto',
    '¿CIRCUITO ABIERTO?',
    'conectores, cánulas y líneas de cánula a cánula; pinzas a mano; también bajo las mantas',
  ],
  'clock.skew': [
    'los relojes difieren',
    'RELOJES DIFIEREN',
    'servicio de hora del agente y de la pasarela; las horas de esta bomba no son fiables',
  ],
  'comm.broker': [
    'pasarela sin su broker',
    'SIN BROKER',
    'cada bomba en su consola: nada llega a esta pantalla; broker y red de la pasarela',
  ],
  'comm.console_silent': [
    'consola muda',
    'CONSOLA MUDA',
    'la bomba en su consola; cable entre consola y agente; salida de datos de la consola',
  ],
  'comm.damaged': [
    'llegan tramas dañadas',
    'TRAMAS DAÑADAS',
    'el registro de la pasarela: de quién, por qué vía; red y broker de esa vía; versión del agente; ¿es un extraño?',
  ],
  'comm.redundancy_lost': [
    'una de dos vías perdida',
    'UNA VÍA PERDIDA',
    'broker y red de la vía perdida; la bomba se vigila por la otra',
  ],
  'comm.stale': [
    'sin datos de la bomba',
    'SIN DATOS',
    'la bomba en su consola; alimentación y red de su agente',
  ],
  'delivery.unconfirmed': [
    'ninguna pantalla ha mostrado una alarma',
    'ALARMA NO MOSTRADA',
    'la bomba que nombra la alarma, en su consola; pantallas de la sala y su red',
  ],
  'delta.high': [
    'caída de presión en la membrana alta',
    'ΔP MEMBRANA ALTA',
    'oxigenador con luz por coágulos; tendencia de la caída a igual flujo; gas tras la membrana; anticoagulación',
  ],
  'display.lost': [
    'una pantalla se ha perdido o congelado',
    'PANTALLA PERDIDA',
    'la pantalla que nombra la lista: está encendida, se mueve su imagen; las otras pantallas de la sala',
  ],
  'display.none': [
    'nadie vigila la sala',
    'NADIE VIGILA',
    'ir junto a la cama; iniciar una pantalla para la sala o abrir la que está oculta',
  ],
  'display.silent': [
    'no se oye ninguna pantalla de la sala',
    'SALA SIN SONIDO',
    'sonido de las pantallas: permiso del navegador, altavoz, volumen',
  ],
  'drain.chatter': [
    'posible vibración del drenaje',
    '¿VIBRA EL DRENAJE?',
    'volumen, succión contra la pared de la vena, posición y acodadura de la cánula; más velocidad no devuelve el flujo',
  ],
  'drain.high': [
    'presión de drenaje alta: posible pérdida de succión',
    '¿SIN SUCCIÓN?',
    'línea de drenaje y conectores por una abertura; gira la bomba; transductor abierto al aire',
  ],
  'drain.low.alarm': [
    'presión de drenaje muy baja',
    'DRENAJE MUY BAJO',
    'acodaduras, posición de la cánula, volumen, velocidad; la succión fuerte daña la sangre y libera gas',
  ],
  'drain.low.warn': [
    'presión de drenaje baja',
    'DRENAJE BAJO',
    'acodaduras, posición de la cánula, volumen, velocidad; posición de cabeza y cuello',
  ],
  'drain.obstruction': [
    'posible obstrucción del drenaje o falta de volumen',
    '¿DRENAJE OBSTRUIDO?',
    'acodaduras, posición de la cánula, volumen, sangrado, presión en tórax o abdomen; más velocidad quizá no ayude',
  ],
  'drill.missed': [
    'la vía de alarma falló su prueba',
    'PRUEBA FALLIDA',
    'las bombas en sus consolas; pasarela, broker y pantallas: las alarmas podrían no llegar',
  ],
  'flow.high': [
    'flujo de sangre alto',
    'FLUJO ALTO',
    'velocidad frente a lo previsto; lado de retorno por una abertura; peso y objetivo introducidos',
  ],
  'flow.low': [
    'flujo de sangre bajo',
    'FLUJO BAJO',
    'presión de drenaje y retorno, acodaduras, volumen, velocidad; peso y objetivo introducidos',
  ],
  'flow.min_oxygenator': [
    'flujo por debajo del mínimo del oxigenador',
    'FLUJO < MÍN. OXIG.',
    'flujo frente a lo que permite el fabricante del oxigenador; cuánto dura el destete; coágulos',
  ],
  'flow.retrograde': [
    'posible flujo de sangre hacia atrás',
    '¿FLUJO INVERSO?',
    'gira la bomba, hace falta una pinza: una centrífuga parada no ocluye nada; dirección del sensor',
  ],
  'flow.very_low': [
    'flujo de sangre muy bajo',
    'FLUJO MUY BAJO',
    'ahora el paciente y la bomba; acodaduras, pinzas, volumen, presiones de drenaje y retorno, velocidad',
  ],
  'gas.failure': [
    'posible fallo de gas: la membrana no oxigena',
    '¿FALLO DE GAS?',
    'línea de gas de la pared a la membrana, mezclador, suministro; salida libre; gasometría tras la membrana',
  ],
  'gas.fdo2.dev': [
    'fracción de oxígeno distinta de la ajustada',
    'O₂ FUERA DE AJUSTE',
    'mezclador y su suministro; calibración del analizador',
  ],
  'gas.sweep.low': [
    'gas de barrido bajo',
    'GAS BAJO',
    'línea de gas conectada en ambos extremos, sin acodar; caudalímetro, suministro o botella; ajuste',
  ],
  'gateway.config_differs': [
    'las dos pasarelas difieren',
    'PASARELAS DIFIEREN',
    'perfil, ajustes y versiones de ambas pasarelas: podrían alarmar de forma distinta',
  ],
  'gateway.overload': [
    'pasarela sobrecargada: alarmas con retraso',
    'PASARELA LENTA',
    'las bombas en sus consolas; carga del equipo de la pasarela',
  ],
  'gateway.peer_lost': [
    'la otra pasarela está muda',
    '2.ª PASARELA MUDA',
    'la otra pasarela y su red; esta vigila sola',
  ],
  'gateway.recording': [
    'la pasarela no registra',
    'SIN REGISTRO',
    'disco del diario y del historial de la pasarela: espacio, permisos, errores; las alarmas siguen, el historial tiene huecos',
  ],
  'gateway.state': [
    'lo que hacen las personas no se guarda',
    'ACTOS NO GUARDADOS',
    'disco del estado de la pasarela: espacio, permisos, errores; un reinicio olvidaría reconocimientos y límites',
  ],
  'heater.over': [
    'agua del calentador demasiado caliente',
    'CALENTADOR CALIENTE',
    'ajuste y agua del calentador; retirarlo del circuito si no obedece; temperatura de retorno',
  ],
  'latency.agent': [
    'agente lento: alarmas con retraso',
    'AGENTE LENTO',
    'las bombas en sus consolas; carga de los equipos de los agentes',
  ],
  'latency.display': [
    'pantallas lentas: alarmas con retraso',
    'PANTALLAS LENTAS',
    'pantallas que nombra la lista; su red y su carga',
  ],
  'latency.network': [
    'red lenta: alarmas con retraso',
    'RED LENTA',
    'las bombas en sus consolas; broker y red entre agentes y pasarela',
  ],
  'level.low': [
    'nivel del reservorio bajo',
    'NIVEL BAJO',
    'reservorio o vejiga, drenaje, volumen, velocidad; posición del sensor de nivel',
  ],
  'ownership.unanswered': [
    'nadie ha tomado la bomba',
    '¿QUIÉN LA TOMA?',
    'quién cuida al paciente: tomar la bomba, o preguntar quién lo hace',
  ],
  'oxygenator.clotting': [
    'posible coagulación del oxigenador',
    '¿COAGULACIÓN?',
    'oxigenador con luz por coágulos; gas tras la membrana; velocidad para el mismo flujo; repuesto listo',
  ],
  'post.high.alarm': [
    'presión tras la membrana muy alta',
    'POST MUY ALTA',
    'línea y cánula de retorno: acodaduras, coágulos, pinzas; poscarga, presión arterial; velocidad',
  ],
  'post.high.warn': [
    'presión tras la membrana alta',
    'POST ALTA',
    'línea y cánula de retorno: acodaduras y pinzas; poscarga, presión arterial; velocidad',
  ],
  'post.low': [
    'cayó la presión tras la membrana: posible línea abierta',
    'POST CAYÓ: ¿ABIERTA?',
    'línea de retorno, conectores y cánula por una abertura; gira la bomba; transductor abierto al aire',
  ],
  'power.depleting': [
    'batería pronto vacía según su tendencia',
    'BATERÍA SE AGOTA',
    'enchufe y toma; segunda batería; manivela junto a la cama; qué dice la consola de la batería',
  ],
  'power.mains_lost': [
    'sin red eléctrica',
    'SIN RED',
    'enchufe, toma, interruptor; tiempo de batería; calentador y equipos de gas en la misma toma',
  ],
  'pre.high.alarm': [
    'presión antes de la membrana muy alta',
    'PRE MUY ALTA',
    'línea de retorno: acodaduras y pinzas; oxigenador: coágulos; velocidad; con rodillos: peligro de rotura',
  ],
  'pre.high.warn': [
    'presión antes de la membrana alta',
    'PRE ALTA',
    'línea de retorno: acodaduras y pinzas; oxigenador: coágulos; velocidad',
  ],
  'pulse.low': [
    'la presión arterial apenas pulsa: información',
    'PULSO BAJO',
    'eyecta el corazón, está lleno el lado izquierdo; transductor o línea amortiguados',
  ],
  'pump.speed.high': [
    'velocidad de la bomba alta',
    'VELOCIDAD ALTA',
    'velocidad frente a lo previsto; por qué hace falta tanta: volumen, acodaduras, coágulos',
  ],
  'pump.stop': [
    'bomba parada',
    'BOMBA PARADA',
    'cabezal y motor, alimentación, mensajes de la consola; pinza: una centrífuga parada no ocluye nada',
  ],
  recirculation: [
    'posible recirculación',
    '¿RECIRCULACIÓN?',
    'posición y profundidad de la cánula, flujo, volumen; saturación del paciente, no la de drenaje; puente cerrado',
  ],
  'return.obstruction': [
    'posible obstrucción del retorno',
    '¿RETORNO OBSTRUIDO?',
    'línea y cánula de retorno: acodaduras, coágulos, pinzas; posición; poscarga: subió con ella la presión arterial',
  ],
  'sat.drain.low': [
    'saturación de drenaje baja',
    'SAT DRENAJE BAJA',
    'flujo de sangre, hemoglobina, demanda de oxígeno del paciente; calibración del sensor',
  ],
  'sat.post.low': [
    'saturación tras la membrana baja',
    'SAT POST BAJA',
    'gas de barrido y fracción de oxígeno, línea de gas; oxigenador; gasometría tras la membrana; calibración del sensor',
  ],
  'sensor.fault': [
    'fallo de sensor: {parameter}',
    'SENSOR {parameter}',
    'cable, conector, transductor y su cero, contacto del sensor; hasta entonces lea este valor en la consola',
  ],
  'sensor.rate': [
    'muestras a un ritmo erróneo',
    'RITMO ERRÓNEO',
    'ajustes del instrumento; carga del equipo del agente; los tiempos de este valor no son fiables',
  ],
  'source.duplicate': [
    'dos agentes envían como una bomba',
    'DOS AGENTES',
    'qué agente está en esta bomba; id de bomba en los ajustes de ambos',
  ],
  'temp.return.high': [
    'temperatura de retorno alta',
    'TEMP ALTA',
    'ajuste y agua del calentador; sonda de temperatura; temperatura del paciente',
  ],
  'temp.return.low': [
    'temperatura de retorno baja',
    'TEMP BAJA',
    'calentador encendido y conectado, ajuste; sonda de temperatura; ¿enfriamiento previsto?',
  ],
};
