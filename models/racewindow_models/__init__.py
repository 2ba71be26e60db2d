"""Models of maintenance windows: the services of a perpetuals exchange, and the incidents that can be made of them.

The services are ordinary trio code that shares state through `racewindow.Cell` and `racewindow.TrackedDict`. Nothing in
the harness knows them; a scenario in `racewindow_models.scenarios` puts them together. The words are those of the
exchange: mark price, funding index, maintenance margin, batch, block.
"""
