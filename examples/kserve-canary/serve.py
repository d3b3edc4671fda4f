"""Serves the model of SLASHTRAIN_MODEL_URI by KServe's v1 protocol, on port 8080."""
import json
import os
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from flats import probability

kind, _, content = os.environ['SLASHTRAIN_MODEL_URI'].partition(',')
if kind != 'data:application/json':
    raise SystemExit(f'SLASHTRAIN_MODEL_URI begins with {kind}, which this server does not read')
model = json.loads(urllib.parse.unquote(content))


class Answers(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        known = self.path in ('/healthz', '/v1/models/flats')
        self.answer(200 if known else 404, {'name': 'flats', 'ready': True} if known else {'error': 'no such path'})

    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers.get('content-length', 0))))
            rows = [[float(x) for x in row] for row in body['instances']]
        except (KeyError, TypeError, ValueError) as error:
            return self.answer(400, {'error': str(error)})
        if self.path != '/v1/models/flats:predict':
            return self.answer(404, {'error': 'no such path'})
        self.answer(200, {'predictions': [round(probability(model['weights'], model['bias'], row), 4) for row in rows]})

    def answer(self, status, content):
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(('', int(os.environ.get('PORT', '8080'))), Answers).serve_forever()
