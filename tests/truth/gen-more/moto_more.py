"""../gen/forkmoto.py with the few answers that the provider asks for and moto 5.2.5 lacks or gets wrong.
Each patch says why; none of them touches what a scenario changes."""
import os, sys, runpy
os.environ.setdefault('MOTO_ACCOUNT_ID', '595263720623')
here = os.path.dirname(os.path.abspath(__file__))

os.environ.setdefault('MOTO_IAM_LOAD_MANAGED_POLICIES', 'true')
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
# the provider reads the tags of every target; moto has none of this API's tag calls
ApplicationAutoScalingResponse.list_tags_for_resource = lambda self: '{"Tags": {}}'
from moto.stepfunctions.responses import StepFunctionResponse
# the provider has every definition checked first; moto has no checker
StepFunctionResponse.validate_state_machine_definition = lambda self: '{"result": "OK", "diagnostics": []}'
sys.path.insert(0, here + '/../gen')
runpy.run_path(here + '/../gen/forkmoto.py', run_name='__main__')
