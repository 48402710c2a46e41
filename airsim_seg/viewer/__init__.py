"""A window into a running simulator: a small web server on this machine and one page, over AirSim's RPC alone.

    simulator  <--AirSim's RPC--  link.py  <--  session.py  -->  audience.py  -->  web.py  <--WebSocket-->  page/

It knows nothing of the built-in simulator that a real AirSim would not answer, so it shows both.
"""
