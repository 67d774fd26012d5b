"""Smart charging: charging profiles, what they mean over time, and the current that may be offered.

OCPP 1.6 edition 2: 3.13, 5.5, 5.7, 5.16, 7.8 to 7.14. Pure functions of frozen values; each module is one step:

* ``profiles``   which profiles are installed: what is refused, what replaces what, what is cleared
* ``site``       the connectors and their units: every limit in A or W as an exact whole number
* ``prepare``    installed profiles made ready to be asked: a plan
* ``sharing``    one limit, several connectors
* ``schedule``   a plan over time: the composite schedule, and what is offered now and until when
* ``answers``    the requests of the Central System, answered from these

Times are whole POSIX seconds: those of profiles are cut to them (decision SC1).
"""
