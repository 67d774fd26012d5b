"""The furniture of a dossier in German, by the English text."""

from collections.abc import Mapping

GERMAN: Mapping[str, str] = {
    # Titles and headings
    "Certification dossier": "Zertifizierungsdossier",
    "Dossier": "Dossier",
    "Contents": "Inhalt",
    "Machines": "Automaten",
    "Who tells whom": "Wer wem was meldet",
    "Pictures": "Bilder",
    "Transitions": "Transitionen",
    "Status table of 4.9": "Statustabelle aus 4.9",
    "Messages by state": "Nachrichten nach Zustand",
    "What cannot happen": "Was nicht vorkommen kann",
    "Traceability": "Rückverfolgung",
    "Clauses, transitions, tests": "Abschnitte, Transitionen, Tests",
    "Tests, transitions, clauses": "Tests, Transitionen, Abschnitte",
    "Test cases, tests": "Testfälle, Tests",
    "From clauses to tests": "Von Abschnitten zu Tests",
    "From tests to clauses": "Von Tests zu Abschnitten",
    "From test cases to tests": "Von Testfällen zu Tests",
    "Transitions without a test": "Transitionen ohne Test",
    "Transitions without a clause": "Transitionen ohne Abschnitt",
    "Tests that take no transition": "Tests, die keine Transition nehmen",
    "Test cases without a test": "Testfälle ohne Test",
    "Test cases that did not pass on this station": "Testfälle, die an dieser Station nicht bestanden wurden",
    "Features": "Merkmale",
    "Feature profiles": "Funktionsprofile",
    "Connectors": "Anschlüsse",
    "Messages": "Nachrichten",
    "Configuration keys": "Konfigurationsschlüssel",
    "Limits": "Grenzen",
    "Options": "Optionen",
    "Evidence": "Nachweise",
    "Decisions": "Entscheidungen",
    "What came of it": "Was herauskam",
    "What it belongs to": "Wozu es gehört",
    # Heads of tables
    "Id": "Id",
    "From": "Von",
    "To": "Nach",
    "Message": "Nachricht",
    "Guard": "Bedingung",
    "Effects": "Wirkungen",
    "Clause": "Abschnitt",
    "Clauses": "Abschnitte",
    "Tests": "Tests",
    "Test": "Test",
    "State": "Zustand",
    "States": "Zustände",
    "Reason": "Grund",
    "Result": "Ergebnis",
    "Results": "Ergebnisse",
    "Runs": "Läufe",
    "File": "Datei",
    "Test case": "Testfall",
    "Title": "Titel",
    "Profile": "Profil",
    "Recorded runs": "Aufgezeichnete Läufe",
    "Recorded cases": "Aufgezeichnete Fälle",
    "Verdict": "Urteil",
    "Machine": "Automat",
    "Purpose": "Zweck",
    "One of": "Je",
    "Asks the engine for": "Verlangt vom Rahmen",
    "Stands at": "Steht auf",
    "What": "Was",
    "Count": "Anzahl",
    "Entry": "Eintrag",
    "Value": "Wert",
    "Connector": "Anschluss",
    "Cable": "Kabel",
    "Lock": "Verriegelung",
    "Current": "Strom",
    "Phases": "Phasen",
    "Driver": "Treiber",
    "Offered": "Angeboten",
    "Not declared": "Nicht deklariert",
    "Direction": "Richtung",
    "Key": "Schlüssel",
    "Type": "Typ",
    "Access": "Zugriff",
    "Default": "Vorgabe",
    "Unit": "Einheit",
    "Allowed": "Zulässig",
    "Reboot": "Neustart",
    "Limit": "Grenze",
    # Labels
    "Station": "Station",
    "Serial number": "Seriennummer",
    "Firmware": "Firmware",
    "Declaration": "Deklaration",
    "Code": "Code",
    "Made": "Erstellt",
    "States shown": "Gezeigte Zustände",
    "Declared beside the station file": "Neben der Stationsdatei deklariert",
    "Transitions taken": "Genommene Transitionen",
    "The whole picture for other programs": "Das ganze Bild für andere Programme",
    "{case}, part {number}": "{case}, Teil {number}",
    "All {count} pages": "Alle {count} Seiten",
    "Files": "Dateien",
    # Words
    "yes": "ja",
    "no": "nein",
    "all": "ganz",
    "in part": "teilweise",
    "none": "keiner",
    "empty": "leer",
    "secret": "geheim",
    "station": "Station",
    "each connector": "jeder Anschluss",
    "station, each connector": "Station, jeder Anschluss",
    "taken from the CSMS": "vom CSMS entgegengenommen",
    "sent to the CSMS": "an das CSMS gesendet",
    "the recorded runs": "die aufgezeichneten Läufe",
    "and {count} more": "und {count} weitere",
    "passed": "bestanden",
    "failed": "nicht bestanden",
    "skipped": "übersprungen",
    "not applicable": "nicht anwendbar",
    "inconclusive": "ohne Aussage",
    "{count} passed": "{count} bestanden",
    "{bad} of {count} not passed": "{bad} von {count} nicht bestanden",
    "{failed} failed, {skipped} skipped": "{failed} nicht bestanden, {skipped} übersprungen",
    "{count} of {all}.": "{count} von {all}.",
    "view: a normal session": "Ausschnitt: ein gewöhnlicher Ladevorgang",
    "view: faults": "Ausschnitt: Fehler",
    "view: offline and back again": "Ausschnitt: ohne Verbindung, und wieder verbunden",
    # Sentences
    "All ways from one state to another": "Alle Wege von einem Zustand in einen anderen",
    "Guards, clauses and what is done within a state: in the table": (
        "Bedingungen, Abschnitte und was innerhalb eines Zustands geschieht: in der Tabelle"
    ),
    "For each state and message exactly one row applies.": (
        "Für jeden Zustand und jede Nachricht gilt genau eine Zeile."
    ),
    "Numbers of the rows; a dash: cannot meet.": "Nummern der Zeilen; ein Strich: trifft nicht zusammen.",
    "A state and a message that cannot meet. Should they all the same, the process ends.": (
        "Ein Zustand und eine Nachricht, die nicht zusammentreffen können. Geschieht es doch, endet der Prozess."
    ),
    "Nothing: every state takes every message.": "Nichts: jeder Zustand nimmt jede Nachricht.",
    "{count} of {all} labels have transitions. Column 9 and row I belong to the machine fault.": (
        "{count} von {all} Feldern haben Transitionen. Spalte 9 und Zeile I gehören zum Automaten fault."
    ),
    "None: something takes each of {count}.": "Keine: jede der {count} wird genommen.",
    "None: each of {count} cites one.": "Keine: jede der {count} nennt einen.",
    "{count} of {all} have a reason instead.": "{count} von {all} nennen statt eines Abschnitts einen Grund.",
    "{count} of {all}: they are about what is no machine, or run processes.": (
        "{count} von {all}: sie betreffen, was kein Automat ist, oder starten Prozesse."
    ),
    "Tests: the recorded cases only; no run of the other tests was given.": (
        "Tests: nur die aufgezeichneten Fälle; ein Lauf der übrigen Tests wurde nicht angegeben."
    ),
    "Tests: {cases} recorded cases (TC), and the last run of {tests} tests (T, by their functions). Those that take "
    "the fewest transitions are shown; traceability.json has all.": (
        "Tests: {cases} aufgezeichnete Fälle (TC) und der letzte Lauf von {tests} Tests (T, je Funktion). Gezeigt "
        "werden die, die am wenigsten Transitionen nehmen; traceability.json hat alle."
    ),
    "As GetConfiguration shows them. {count} keys.": "Wie GetConfiguration sie zeigt. {count} Schlüssel.",
    "of a station, at present: orange in the pictures": "einer Station, zur Zeit: in den Bildern orange",
    "SHA-256 of the code, of the declaration and of the results stand at the foot of every page. statecharge dossier "
    "--verify tells whether a firmware and this dossier belong together.": (
        "SHA-256 von Code, Deklaration und Ergebnissen stehen am Fuß jeder Seite. statecharge dossier --verify sagt, "
        "ob eine Firmware und dieses Dossier zusammengehören."
    ),
    "Every behaviour of the charge point is one of these machines. Each takes one message at a time, and tells others "
    "what they need to know.": (
        "Jedes Verhalten der Ladestation ist einer dieser Automaten. Jeder nimmt eine Nachricht nach der anderen und "
        "meldet den übrigen, was sie wissen müssen."
    ),
    "kind/0: the machine of the station as a whole; kind/*: those of all connectors; a kind by itself: the machine of "
    "the same connector, or the only one; kind/+: that of the same connector, and those of all for what happens to the "
    "station as a whole.": (
        "kind/0: der Automat der Station als ganzer; kind/*: die aller Anschlüsse; kind allein: der Automat desselben "
        "Anschlusses oder der einzige; kind/+: der desselben Anschlusses, und bei dem, was der ganzen Station "
        "geschieht, die aller."
    ),
}
