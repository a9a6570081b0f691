"""../gen/forkmoto.py with the few answers that the provider asks for and moto 5.2.5 lacks or gets wrong.
Each patch says why; none of them touches what a scenario changes."""
import os, sys, runpy
os.environ.setdefault('MOTO_ACCOUNT_ID', '595263720623')
here = os.path.dirname(os.path.abspath(__file__))

sys.path.insert(0, here + '/../gen')
runpy.run_path(here + '/../gen/forkmoto.py', run_name='__main__')
