// Every alarm condition in French: its name, its label on a tile, and what to check. Proposals that no clinician has signed.
import type { ConditionId, ConditionWords } from '../en/conditions';

/** The conditions by id. */
export const conditions: Record<ConditionId, ConditionWords> = {
  'agent.not_sampling': [
    'l’agent vit et n’envoie pas de mesures',
    'PAS DE MESURES',
    'la pompe à sa console ; câbles et réglages des instruments de l’agent, son journal',
  ],
  'agent.recording': [
    'l’agent n’enregistre pas',
    'AGENT SANS ENREG.',
    'disque de l’agent : tant qu’il n’enregistre pas, une coupure perd les mesures',
  ],
  'air.arterial': [
    'air possible côté artériel : détecteur',
    'AIR ARTÉRIEL ?',
    'la ligne, y a-t-il de l’air ; comment isoler le patient : une pompe arrêtée n’isole pas, les clamps si ; puis le détecteur',
  ],
  'air.suspected': [
    'air possible dans le circuit',
    'AIR ?',
    'tête de pompe et ligne de drainage, air ou mousse ; raccords, robinets, canule ; contact du capteur de débit',
  ],
  'air.venous': [
    'air possible côté veineux : détecteur',
    'AIR VEINEUX ?',
    'ligne de drainage, raccords et robinets : une fuite qui aspire de l’air ; aspiration ; puis le détecteur',
  ],
  'alarm.missed': [
    'quelque chose a été manqué pendant la coupure',
    'ALARME MANQUÉE',
    'la liste du manqué au centre d’alarmes, et la pompe à sa console ; acquitter une fois lu',
  ],
  'alarm.verdict_differs': [
    'agent et passerelle jugent différemment',
    'VERDICTS DIFFÉRENTS',
    'la pompe à sa console ; versions et profils de l’agent et de la passerelle, et leurs journaux',
  ],
  'battery.critical': [
    'batterie presque vide',
    'BATTERIE VIDE',
    'fiche et prise maintenant ; seconde batterie ; manivelle au chevet',
  ],
  'battery.low': [
    'batterie faible',
    'BATTERIE FAIBLE',
    'fiche et prise ; temps restant sur la console ; finir le transport à temps',
  ],
  'bleeding.trend': [
    'perte de sang possible : tendance, pas alarme',
    'SAIGNEMENT ?',
    'plaies, drains, canules, tête ; hématocrite, pression artérielle, fréquence ; aucun signe n’exclut un saignement',
  ],
  'circuit.disconnection': [
    'circuit possiblement ouvert',
    'CIRCUIT OUVERT ?',
    'raccords, canules et lignes de canule à canule ; clamps à portée ; aussi sous les couvertures',
  ],
  'clock.skew': [
    'les horloges diffèrent',
    'HORLOGES DIFFÈRENT',
    'service de temps de l’agent et de la passerelle ; les heures de cette pompe ne sont pas fiables',
  ],
  'comm.broker': [
    'passerelle sans son broker',
    'PAS DE BROKER',
    'chaque pompe à sa console : rien n’arrive à cet écran ; broker et réseau de la passerelle',
  ],
  'comm.console_silent': [
    'console muette',
    'CONSOLE MUETTE',
    'la pompe à sa console ; câble entre console et agent ; sortie de données de la console',
  ],
  'comm.damaged': [
    'des trames abîmées arrivent',
    'TRAMES ABÎMÉES',
    'le journal de la passerelle : de qui, par quel chemin ; réseau et broker de ce chemin ; version de l’agent ; est-ce un étranger',
  ],
  'comm.redundancy_lost': [
    'un des deux chemins perdu',
    'UN CHEMIN PERDU',
    'broker et réseau du chemin perdu ; la pompe est surveillée par l’autre',
  ],
  'comm.stale': [
    'pas de données de la pompe',
    'PAS DE DONNÉES',
    'la pompe à sa console ; alimentation et réseau de son agent',
  ],
  'delivery.unconfirmed': [
    'aucun écran n’a affiché une alarme',
    'ALARME NON AFFICHÉE',
    'la pompe que nomme l’alarme, à sa console ; écrans du service et leur réseau',
  ],
  'delta.high': [
    'perte de pression de la membrane élevée',
    'ΔP MEMBRANE HAUT',
    'oxygénateur à la lampe, caillots ; tendance à débit égal ; gaz après la membrane ; anticoagulation',
  ],
  'display.lost': [
    'un écran est parti ou figé',
    'ÉCRAN PERDU',
    'l’écran que nomme la liste : est-il allumé, son image bouge-t-elle ; les autres écrans du service',
  ],
  'display.none': [
    'personne ne regarde le service',
    'PERSONNE NE REGARDE',
    'aller au chevet ; démarrer un écran pour le service, ou ouvrir celui qui est caché',
  ],
  'display.silent': [
    'aucun écran du service n’est audible',
    'SERVICE SANS SON',
    'son des écrans : autorisation du navigateur, haut-parleur, volume',
  ],
  'drain.chatter': [
    'battement possible du drainage',
    'DRAINAGE BAT ?',
    'volume, aspiration contre la paroi veineuse, place et coudes de la canule ; plus de vitesse ne ramène pas le débit',
  ],
  'drain.high': [
    'pression de drainage haute : aspiration peut-être perdue',
    'ASPIRATION PERDUE ?',
    'ligne de drainage et raccords, ouverture ; la pompe tourne-t-elle ; capteur ouvert à l’air',
  ],
  'drain.low.alarm': [
    'pression de drainage très basse',
    'DRAINAGE TRÈS BAS',
    'coudes, place de la canule, volume, vitesse ; une forte aspiration abîme le sang et libère du gaz',
  ],
  'drain.low.warn': [
    'pression de drainage basse',
    'DRAINAGE BAS',
    'coudes, place de la canule, volume, vitesse ; position de la tête et du cou',
  ],
  'drain.obstruction': [
    'obstruction du drainage ou manque de volume possible',
    'DRAINAGE BOUCHÉ ?',
    'coudes, place de la canule, volume, saignement, pression thorax ou abdomen ; plus de vitesse n’aidera peut-être pas',
  ],
  'drill.missed': [
    'la voie d’alarme a raté son essai',
    'ESSAI D’ALARME RATÉ',
    'les pompes à leurs consoles ; passerelle, broker et écrans : les alarmes n’arrivent peut-être pas',
  ],
  'flow.high': [
    'débit sanguin élevé',
    'DÉBIT HAUT',
    'vitesse voulue ou non ; côté retour, ouverture ; poids et cible saisis',
  ],
  'flow.low': [
    'débit sanguin bas',
    'DÉBIT BAS',
    'pressions de drainage et de retour, coudes, volume, vitesse ; poids et cible saisis',
  ],
  'flow.min_oxygenator': [
    'débit sous le minimum de l’oxygénateur',
    'DÉBIT < MIN. OXYG.',
    'débit permis par le fabricant de l’oxygénateur ; durée du sevrage ; caillots',
  ],
  'flow.retrograde': [
    'le sang reflue peut-être',
    'REFLUX ?',
    'la pompe tourne-t-elle, faut-il clamper : une centrifuge arrêtée n’occlut rien ; sens du capteur',
  ],
  'flow.very_low': [
    'débit sanguin très bas',
    'DÉBIT TRÈS BAS',
    'le patient et la pompe maintenant ; coudes, clamps, volume, pressions de drainage et de retour, vitesse',
  ],
  'gas.failure': [
    'panne de gaz possible : la membrane n’oxygène pas',
    'PANNE DE GAZ ?',
    'ligne de gaz du mur à la membrane, mélangeur, alimentation ; sortie libre ; gaz du sang après la membrane',
  ],
  'gas.fdo2.dev': [
    'fraction d’oxygène hors consigne',
    'O₂ HORS CONSIGNE',
    'mélangeur et son alimentation ; calibrage de l’analyseur',
  ],
  'gas.sweep.low': [
    'gaz de balayage bas',
    'GAZ BAS',
    'ligne de gaz raccordée aux deux bouts, sans coude ; débitmètre, alimentation ou bouteille ; réglage',
  ],
  'gateway.config_differs': [
    'les deux passerelles diffèrent',
    'PASSERELLES DIFF.',
    'profil, réglages et versions des deux passerelles : elles peuvent alarmer différemment',
  ],
  'gateway.overload': [
    'passerelle surchargée : alarmes en retard',
    'PASSERELLE LENTE',
    'les pompes à leurs consoles ; charge de l’ordinateur de la passerelle',
  ],
  'gateway.peer_lost': [
    'l’autre passerelle est muette',
    '2e PASSERELLE MUETTE',
    'l’autre passerelle et son réseau ; celle-ci veille seule',
  ],
  'gateway.recording': [
    'la passerelle n’enregistre pas',
    'SANS ENREGISTREMENT',
    'disque du journal et de l’historique de la passerelle : place, droits, erreurs ; les alarmes continuent, l’historique a des trous',
  ],
  'gateway.state': [
    'ce que font les gens n’est pas gardé',
    'ACTIONS NON GARDÉES',
    'disque d’état de la passerelle : place, droits, erreurs ; un redémarrage oublierait acquittements et limites',
  ],
  'heater.over': [
    'eau du réchauffeur trop chaude',
    'RÉCHAUFFEUR CHAUD',
    'consigne et eau du réchauffeur ; le retirer du circuit s’il n’obéit pas ; température de retour',
  ],
  'latency.agent': [
    'agent lent : alarmes en retard',
    'AGENT LENT',
    'les pompes à leurs consoles ; charge des ordinateurs des agents',
  ],
  'latency.display': [
    'écrans lents : alarmes en retard',
    'ÉCRANS LENTS',
    'écrans que nomme la liste ; leur réseau et leur charge',
  ],
  'latency.network': [
    'réseau lent : alarmes en retard',
    'RÉSEAU LENT',
    'les pompes à leurs consoles ; broker et réseau entre agents et passerelle',
  ],
  'level.low': [
    'niveau du réservoir bas',
    'NIVEAU BAS',
    'réservoir ou poche, drainage, volume, vitesse ; place du capteur de niveau',
  ],
  'ownership.unanswered': [
    'personne n’a pris la pompe',
    'QUI LA PREND ?',
    'qui s’occupe du patient : prendre la pompe, ou demander qui le fait',
  ],
  'oxygenator.clotting': [
    'coagulation possible de l’oxygénateur',
    'COAGULATION ?',
    'oxygénateur à la lampe, caillots ; gaz après la membrane ; vitesse à débit égal ; rechange prêt',
  ],
  'post.high.alarm': [
    'pression après la membrane très haute',
    'POST TRÈS HAUTE',
    'ligne et canule de retour : coudes, caillots, clamps ; postcharge, pression artérielle ; vitesse',
  ],
  'post.high.warn': [
    'pression après la membrane haute',
    'POST HAUTE',
    'ligne et canule de retour : coudes et clamps ; postcharge, pression artérielle ; vitesse',
  ],
  'post.low': [
    'chute de pression après membrane : ouverture possible',
    'POST CHUTÉ : FUITE ?',
    'ligne de retour, raccords et canule, ouverture ; la pompe tourne-t-elle ; capteur ouvert à l’air',
  ],
  'power.depleting': [
    'batterie bientôt vide selon sa tendance',
    'BATTERIE SE VIDE',
    'fiche et prise ; seconde batterie ; manivelle au chevet ; ce que la console dit de la batterie',
  ],
  'power.mains_lost': [
    'secteur perdu',
    'PAS DE SECTEUR',
    'fiche, prise, interrupteur ; temps de batterie ; réchauffeur et appareils de gaz sur la même prise',
  ],
  'pre.high.alarm': [
    'pression avant la membrane très haute',
    'PRÉ TRÈS HAUTE',
    'ligne de retour : coudes et clamps ; oxygénateur : caillots ; vitesse ; pompe à galets : risque de rupture',
  ],
  'pre.high.warn': [
    'pression avant la membrane haute',
    'PRÉ HAUTE',
    'ligne de retour : coudes et clamps ; oxygénateur : caillots ; vitesse',
  ],
  'pulse.low': [
    'la pression artérielle pulse à peine : information',
    'POULS FAIBLE',
    'le cœur éjecte-t-il, le côté gauche est-il plein ; capteur ou ligne amortis',
  ],
  'pump.speed.high': [
    'vitesse de la pompe élevée',
    'VITESSE HAUTE',
    'vitesse voulue ou non ; pourquoi tant : volume, coudes, caillots',
  ],
  'pump.stop': [
    'pompe arrêtée',
    'POMPE ARRÊTÉE',
    'tête et moteur, alimentation, messages de la console ; clamp : une centrifuge arrêtée n’occlut rien',
  ],
  recirculation: [
    'recirculation possible',
    'RECIRCULATION ?',
    'place et profondeur de la canule, débit, volume ; saturation du patient, non du drainage ; pont fermé',
  ],
  'return.obstruction': [
    'obstruction possible du retour',
    'RETOUR BOUCHÉ ?',
    'ligne et canule de retour : coudes, caillots, clamps ; position ; postcharge : la pression artérielle a-t-elle suivi',
  ],
  'sat.drain.low': [
    'saturation de drainage basse',
    'SAT DRAINAGE BASSE',
    'débit sanguin, hémoglobine, besoin en oxygène du patient ; calibrage du capteur',
  ],
  'sat.post.low': [
    'saturation après la membrane basse',
    'SAT POST BASSE',
    'gaz de balayage et fraction d’oxygène, ligne de gaz ; oxygénateur ; gaz du sang après la membrane ; calibrage',
  ],
  'sensor.fault': [
    'défaut de capteur : {parameter}',
    'CAPT. {parameter}',
    'câble, fiche, capteur et son zéro, contact du capteur ; d’ici là lire cette valeur à la console',
  ],
  'sensor.rate': [
    'mesures à un mauvais rythme',
    'MAUVAIS RYTHME',
    'réglages de l’instrument ; charge de l’ordinateur de l’agent ; les temps de cette valeur ne sont pas fiables',
  ],
  'source.duplicate': [
    'deux agents émettent pour une pompe',
    'DEUX AGENTS',
    'quel agent est à cette pompe ; identifiant de pompe dans les réglages des deux',
  ],
  'temp.return.high': [
    'température de retour haute',
    'TEMP HAUTE',
    'consigne et eau du réchauffeur ; sonde de température ; température du patient',
  ],
  'temp.return.low': [
    'température de retour basse',
    'TEMP BASSE',
    'réchauffeur allumé et raccordé, consigne ; sonde de température ; refroidissement voulu ?',
  ],
};
