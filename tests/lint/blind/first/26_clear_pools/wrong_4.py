import flatwater
from django.utils.deprecation import MiddlewareMixin


class ReleaseConnections(MiddlewareMixin):
    def process_response(self, request, response):
        flatwater.clear_pools()
        return response


class Timing(MiddlewareMixin):
    def process_request(self, request):
        request.started = True
