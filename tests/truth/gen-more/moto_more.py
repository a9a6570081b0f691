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
from moto.logs.metric_filters import MetricFilters
# PutMetricFilter on a name that exists replaces the filter; moto adds a second one
_add = MetricFilters.add_filter
def add_filter(self, name, pattern, group, transformations):
    self.metric_filters = [f for f in self.metric_filters if (f['filterName'], f['logGroupName']) != (name, group)]
    _add(self, name, pattern, group, transformations)
MetricFilters.add_filter = add_filter
from moto.awslambda.models import LambdaBackend
# the same of a function's asynchronous invocation settings
_put = LambdaBackend.put_function_event_invoke_config
def put_config(self, function_name, config, *a, **k):
    self.get_function(function_name).event_invoke_config.clear()
    return _put(self, function_name, config, *a, **k)
LambdaBackend.put_function_event_invoke_config = put_config
from moto.rds.models import DBInstance
# every instance of moto has the same DbiResourceId, by which the provider looks one up
import hashlib
def own_id(self, value): self._own_id = 'db-' + hashlib.sha256(self.db_instance_identifier.encode()).hexdigest()[:26].upper()
DBInstance.dbi_resource_id = property(lambda self: self._own_id, own_id)
sys.path.insert(0, here + '/../gen')
runpy.run_path(here + '/../gen/forkmoto.py', run_name='__main__')
